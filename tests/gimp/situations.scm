; What is chosen when a procedure is called: masks, channels, the quick mask, floating selections,
; texts, groups, hidden layers, no layer at all. A recorder stands in the worker's place;
; compare_pictures.c holds each KIND-WHAT against KIND-reference.

(define (fill-box image layer x y w h colour)
  (gimp-context-set-foreground colour)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y w h)
  (gimp-drawable-edit-fill layer FILL-FOREGROUND)
  (gimp-selection-none image))

(define (add-layer image name x y w h)
  (let ((layer (car (gimp-layer-new image w h RGBA-IMAGE name 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-offsets layer x y)
    layer))

; an image of 96x80 with a layer that shows two boxes
(define (make-image)
  (let* ((image (car (gimp-image-new 96 80 RGB))) (layer (add-layer image "scene" 0 0 96 80)))
    (gimp-context-set-antialias FALSE)
    (gimp-context-set-feather FALSE)
    (fill-box image layer 0 0 96 80 '(250 200 30))
    (fill-box image layer 12 8 30 40 '(20 60 160))
    (gimp-image-clean-all image)
    image))

(define (layer-of image)
  (car (reverse (layer-list image))))

(define (learn-in steps name image drawable)
  (plug-in-svdiff-learn RUN-NONINTERACTIVE image drawable "" "a photo of [V]" "" -1 -1 "" steps 0 0 1
    (string-append files-folder "/" name ".safetensors")))

(define (learn name image drawable)
  (learn-in 0 name image drawable))

(define (paint image drawable init)
  (vector-ref (cadr (plug-in-svdiff-generate RUN-NONINTERACTIVE image drawable
                      (test-file "fixtures/profiles/colours.tif") "" "" "" init 0 "" 0 0 0 0 "" 5 1)) 0))

(define (select-some image)
  (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 20 12 40 44))

; the selection as GIMP's quick mask has it
(define (quick-mask image)
  (let ((channel (car (gimp-selection-save image))))
    (gimp-item-set-name channel "Qmask")
    (gimp-selection-none image)
    channel))

(define (test-mask)
  (let* ((image (make-image)) (layer (layer-of image)))
    (select-some image)
    (let ((mask (car (gimp-layer-create-mask layer ADD-MASK-SELECTION))))
      (gimp-layer-add-mask layer mask)
      (gimp-selection-none image)
      (learn "mask-reference" image layer)
      (learn "mask-its mask is chosen" image mask)
      (check "painted above the layer whose mask is chosen"
             (equal? (list (paint image mask "layer") layer) (layer-list image))))
    (gimp-image-delete image)))

(define (test-quick-mask)
  (let* ((image (make-image)) (layer (layer-of image)))
    (select-some image)
    (learn "quick-reference" image layer)
    (let ((made (paint image layer "selection")))
      (quick-mask image)
      (learn "quick-mask" image layer)
      (let ((other (paint image layer "selection")))
        (check "the quick mask is painted into as the selection is"
               (and (equal? (box-of made) (box-of other))
                    (equal? (mask-pixels made) (mask-pixels other))))))
    (gimp-image-delete image))
  (let* ((image (make-image)) (layer (layer-of image)))
    (learn "whole-reference" image layer)
    (quick-mask image)
    (learn "whole-empty quick mask" image layer)
    (gimp-image-delete image)))

(define (box-of layer)
  (append (gimp-drawable-offsets layer)
          (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer)))))

(define (mask-pixels layer)
  (pixels (car (gimp-layer-get-mask layer))))

; what was copied and pasted, not anchored yet
(define (test-floating)
  (let* ((image (make-image)) (layer (layer-of image)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 6 4 60 56)
    (gimp-edit-copy layer)
    (gimp-selection-none image)
    (let ((floating (car (gimp-edit-paste layer FALSE))))
      (gimp-layer-set-offsets floating 10 15)
      (learn "floating-selection" image floating)
      (let ((made (paint image floating "layer")))
        (check "painted where the floating selection is" (equal? (box-of made) '(10 15 60 56)))
        (check "which floats on" (= floating (car (gimp-image-get-floating-sel image)))))
      (gimp-floating-sel-to-layer floating)
      (gimp-selection-none image)
      (learn "floating-reference" image floating))
    (gimp-image-delete image)))

; a group with an opaque layer, one that is half seen, one with a mask, and a hidden one
(define (fill-group image group)
  (let ((below (add-layer image "below" 4 6 80 60)) (half (add-layer image "half" 10 10 40 30))
        (masked (add-layer image "masked" 0 0 96 80)) (hidden (add-layer image "hidden" 0 0 96 80)))
    (fill-box image below 0 0 96 80 '(30 160 90))
    (fill-box image half 0 0 96 80 '(200 40 60))
    (fill-box image masked 0 0 96 80 '(10 10 10))
    (fill-box image hidden 0 0 96 80 '(255 255 255))
    (gimp-layer-set-opacity half 50)
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 60 40 20 20)
    (gimp-layer-add-mask masked (car (gimp-layer-create-mask masked ADD-MASK-SELECTION)))
    (gimp-selection-none image)
    (gimp-item-set-visible hidden FALSE)
    (for-each (lambda (layer) (gimp-image-reorder-item image layer group 0))
              (list below half masked hidden))))

(define (test-group)
  (let* ((image (make-image)) (group (car (gimp-layer-group-new image))))
    (gimp-image-insert-layer image group 0 0)
    (fill-group image group)
    (learn "group-as it is seen" image group)
    (check "painted above the group"
           (let ((made (paint image group "layer")))
             (equal? (list made group) (list (car (layer-list image)) (cadr (layer-list image))))))
    (gimp-image-remove-layer image (car (layer-list image)))
    (gimp-item-set-visible (layer-of image) FALSE)
    (learn "group-reference" image (merge-as image group))
    (gimp-image-delete image)))

; what the image shows where a layer lies, as a new layer
(define (merge-as image layer)
  (let* ((merged (look image)) (box (box-of layer)))
    (gimp-image-insert-layer image merged 0 0)
    (gimp-layer-resize merged (caddr box) (cadddr box) (- (car box)) (- (cadr box)))
    merged))

(define (test-text)
  (let* ((image (make-image))
         (text (car (gimp-text-fontname image -1 8 8 "fox" 0 TRUE 40 PIXELS "Sans"))))
    (check "a text is a layer" (= text (car (layer-list image))))
    (learn "text-layer" image text)
    (gimp-item-set-visible (layer-of image) FALSE)
    (learn "text-reference" image (merge-as image text))
    (gimp-image-delete image)))

; scripts name what they mean: a hidden layer is read as it is
(define (test-hidden)
  (let* ((image (make-image)) (layer (layer-of image)))
    (learn "hidden-reference" image layer)
    (gimp-item-set-visible layer FALSE)
    (learn "hidden-layer" image layer)
    (check "painted above a hidden layer" (= layer (cadr (begin (paint image layer "none") (layer-list image)))))
    (gimp-image-delete image)))

; what is handed over with each, besides the pictures, is looked at by record
(define (test-effort)
  (let* ((image (make-image)) (layer (layer-of image)))
    (learn "effort-reference" image layer)
    (learn-in -1 "effort-normal" image layer)
    (learn-in -2 "effort-quick" image layer)
    (learn-in -3 "effort-thorough" image layer)
    (check-fails "an effort that there is not" image "-3 to 100000" ; GIMP 3 itself says so
                 (lambda () (learn-in -4 "effort-none" image layer)))
    (gimp-image-delete image)))

(define (test-no-layers)
  (let* ((image (car (gimp-image-new 96 80 RGB))) (made (paint image -1 "none")))
    (check "from noise into an image without layers"
           (and (equal? (layer-list image) (list made)) (equal? (box-of made) '(0 0 72 16))))
    (gimp-image-remove-layer image made)
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 16 8 40 24)
    (check "where something is selected" (equal? (box-of (paint image -1 "none")) '(16 8 40 24)))
    (gimp-image-clean-all image)
    (check-fails "nothing to begin with" image "No layer is chosen" (lambda () (paint image -1 "layer")))
    (check-fails "nothing to learn" image "No layer is chosen" (lambda () (learn "nothing" image -1)))
    (gimp-image-delete image)))

(define (run-tests)
  (test-mask)
  (test-quick-mask)
  (test-floating)
  (test-group)
  (test-hidden)
  (test-effort)
  (test-no-layers)
  (test-text))
