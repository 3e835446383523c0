; What learning hands to the worker: the same pictures whatever the layer is. A recorder stands in
; the worker's place; compare_pictures.c looks at what it kept, KIND-WHAT against KIND-reference.

(define (record-marked name image layer channel)
  (plug-in-svdiff-learn RUN-NONINTERACTIVE image layer "" "a photo of [V]" "" channel -1 "" 0 0 0 1
    (string-append files-folder "/" name ".safetensors")))

(define (record name image layer)
  (record-marked name image layer -1))

(define (fill-box image layer x y w h colour)
  (gimp-context-set-foreground colour)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x y w h)
  (gimp-drawable-edit-fill layer FILL-FOREGROUND)
  (gimp-selection-none image))

; an image of 96x80 with a layer of this box that shows the same wherever it lies
(define (make-scene x y w h grey)
  (let* ((image (car (gimp-image-new 96 80 RGB)))
         (layer (car (gimp-layer-new image w h RGBA-IMAGE "scene" 100 LAYER-MODE-NORMAL)))
         (colour (lambda (r g b) (if grey (list g g g) (list r g b)))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-offsets layer x y)
    (gimp-context-set-antialias FALSE)
    (gimp-context-set-feather FALSE)
    (gimp-context-set-foreground (colour 250 200 30))
    (gimp-drawable-fill layer FILL-FOREGROUND)
    (fill-box image layer 12 8 30 40 (colour 20 60 160))
    (fill-box image layer 30 30 44 20 (colour 128 130 127))
    (fill-box image layer 50 6 8 50 (colour 3 9 20))
    (fill-box image layer 20 50 60 9 (colour 190 40 90))
    image))

(define (layer-of image)
  (car (reverse (layer-list image))))

; two rectangles that do not touch: what is between them is around the subject
(define (select-some image)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 16 10 30 28)
  (gimp-image-select-rectangle image CHANNEL-OP-ADD 50 40 16 15))

; records the scene after `change`, a procedure of image and layer
(define (record-scene name box grey change)
  (let* ((image (make-scene (car box) (cadr box) (caddr box) (cadddr box) grey)))
    (select-some image)
    (change image (layer-of image))
    (record name image (layer-of image))
    (gimp-image-delete image)))

(define whole '(0 0 96 80))
(define (nothing image layer) #f)

(define (precision which)
  (lambda (image layer) (gimp-image-convert-precision image which)))

(define (into-group image layer)
  (let ((outer (car (gimp-layer-group-new image))) (inner (car (gimp-layer-group-new image))))
    (gimp-image-insert-layer image outer 0 0)
    (gimp-image-insert-layer image inner outer 0)
    (gimp-image-reorder-item image layer inner 0)))

(define (record-in-group name)
  (let* ((image (make-scene -7 -5 120 100 #f)) (layer (layer-of image)))
    (select-some image)
    (into-group image layer)
    (record name image layer)
    (gimp-image-delete image)))

; 8-bit linear is left out: such an image itself has lost the dark colours
(define (test-colours)
  (record-scene "colour-reference" whole #f nothing)
  (record-scene "colour-larger layer" '(-30 -20 160 140) #f nothing)
  (record-scene "colour-layer with offsets" '(5 1 85 75) #f nothing)
  (record-in-group "colour-layer in groups")
  (record-scene "colour-indexed" whole #f
    (lambda (image layer)
      (gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 16 FALSE FALSE "")))
  (record-scene "colour-16-bit" whole #f (precision PRECISION-U16-GAMMA))
  (record-scene "colour-16-bit linear" whole #f (precision PRECISION-U16-LINEAR))
  (record-scene "colour-32-bit" whole #f (precision PRECISION-U32-GAMMA))
  (record-scene "colour-half" whole #f (precision PRECISION-HALF-GAMMA))
  (record-scene "colour-32-bit float" whole #f (precision PRECISION-FLOAT-GAMMA))
  (record-scene "colour-32-bit float linear" whole #f (precision PRECISION-FLOAT-LINEAR))
  (record-scene "colour-without alpha" whole #f
    (lambda (image layer) (gimp-layer-flatten layer))))

(define (test-greys)
  (record-scene "grey-reference" whole #t nothing)
  (record-scene "grey-grey" whole #t (lambda (image layer) (gimp-image-convert-grayscale image)))
  (record-scene "grey-grey 16-bit linear" whole #t
    (lambda (image layer)
      (gimp-image-convert-grayscale image)
      (gimp-image-convert-precision image PRECISION-U16-LINEAR))))

; a layer mask of half of what is selected counts as alpha, and so does the layer's own
(define (half-opaque image layer)
  (let ((mask (car (gimp-layer-create-mask layer ADD-MASK-WHITE))))
    (gimp-layer-add-mask layer mask)
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 16 10 20 50)
    (gimp-context-set-foreground '(0 0 0))
    (gimp-drawable-edit-fill mask FILL-FOREGROUND)
    (select-some image)))

(define (test-alpha)
  (record-scene "alpha-reference" whole #f half-opaque)
  (record-scene "alpha-own" whole #f
    (lambda (image layer)
      (half-opaque image layer)
      (gimp-layer-remove-mask layer MASK-APPLY)))
  (record-scene "alpha-mask in 32-bit linear" whole #f
    (lambda (image layer)
      (half-opaque image layer)
      (gimp-image-convert-precision image PRECISION-FLOAT-LINEAR))))

; a feathered selection, the channel that it was saved to, and a layer mask made of it are one mask
(define (feathered image)
  (gimp-context-set-feather TRUE)
  (gimp-context-set-feather-radius 6 6)
  (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 28 20 30 28)
  (gimp-context-set-feather FALSE))

(define (record-mask name box change)
  (let* ((image (make-scene (car box) (cadr box) (caddr box) (cadddr box) #f))
         (layer (layer-of image)))
    (change image)
    (feathered image)
    (record-marked name image layer (if (contains? name "channel") (save-selection image) -1))
    (gimp-image-delete image)))

(define (save-selection image)
  (let ((channel (car (gimp-selection-save image))))
    (gimp-selection-none image)
    channel))

(define (record-layer-mask name)
  (let* ((image (make-scene -9 -4 130 110 #f)) (layer (layer-of image)))
    (feathered image)
    (gimp-layer-add-mask layer (car (gimp-layer-create-mask layer ADD-MASK-SELECTION)))
    (gimp-selection-none image)
    (record name image layer)
    (gimp-image-delete image)))

(define (test-masks)
  (let ((linear (lambda (image) (gimp-image-convert-precision image PRECISION-FLOAT-LINEAR)))
        (as-it-is (lambda (image) #f)))
    (record-mask "mask-reference" whole as-it-is)
    (record-mask "mask-saved channel" whole as-it-is)
    (record-mask "mask-saved channel, layer with offsets" '(-30 -20 160 140) as-it-is)
    (record-mask "mask-selection in 32-bit linear" whole linear)
    (record-mask "mask-saved channel in 32-bit linear" whole linear)
    (record-mask "mask-saved channel in 16-bit" whole
      (lambda (image) (gimp-image-convert-precision image PRECISION-U16-GAMMA)))
    (record-layer-mask "mask-layer mask")))

; the share that is marked, known beforehand: feathering keeps it, 62 times 49 of 88 times 74 pixels
; are 0.4665; and a channel is painted with 119 of 255, which is 0.4667. Read as linear light these
; would be less, 0.185 the second.
(define (record-level name mark)
  (let* ((image (make-scene 4 3 88 74 #f)) (layer (layer-of image)))
    (record-marked name image layer (mark image))
    (gimp-image-delete image)))

(define (feathered-box image)
  (gimp-context-set-feather TRUE)
  (gimp-context-set-feather-radius 6 6)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 17 15 62 49)
  (gimp-context-set-feather FALSE))

(define (test-levels)
  (record-level "mean 0.4665 of a feathered saved channel"
    (lambda (image) (feathered-box image) (save-selection image)))
  (record-level "mean 0.4665 of a feathered selection"
    (lambda (image) (feathered-box image) -1))
  (record-level "mean 0.4667 of a grey channel"
    (lambda (image)
      (gimp-selection-all image)
      (let ((channel (save-selection image)))
        (gimp-context-set-foreground '(119 119 119))
        (gimp-drawable-fill channel FILL-FOREGROUND)
        channel))))

; linked layers come along, from the current one on
(define (test-several)
  (let* ((image (make-scene 0 0 96 80 #f)) (first (layer-of image))
         (second (car (gimp-layer-copy first FALSE))) (third (car (gimp-layer-copy first FALSE)))
         (group (car (gimp-layer-group-new image))))
    (gimp-image-insert-layer image second 0 0)
    (gimp-image-insert-layer image group 0 0)
    (gimp-image-insert-layer image third group 0)
    (gimp-selection-none image)
    (record "one-reference" image first)
    (gimp-item-set-linked second TRUE)
    (record "one-other layers are linked" image first)
    (gimp-item-set-linked first TRUE)
    (record "two-reference" image first)
    (gimp-item-set-linked third TRUE)
    (gimp-item-set-linked second FALSE)
    (record "two-one of them in a group" image third)
    (check "the recorder stood in the worker's place" #t)
    (gimp-image-delete image)))

(define (run-tests)
  (test-colours)
  (test-greys)
  (test-alpha)
  (test-masks)
  (test-levels)
  (test-several))
