; What learning hands to the worker of what only GIMP 3 has, called with words by name: layers with
; filters, and several selected layers. See layers.scm.

(define (record name image layers)
  (plug-in-svdiff-learn #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers
    #:prompt "a photo of [V]" #:seed 1
    #:output (string-append files-folder "/" name ".safetensors")))

(define (make-scene)
  (let* ((image (car (gimp-image-new 96 80 RGB)))
         (layer (car (gimp-layer-new image "scene" 60 50 RGBA-IMAGE 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-offsets layer 20 -5)
    (gimp-context-set-foreground '(250 200 30))
    (gimp-drawable-fill layer FILL-FOREGROUND)
    (gimp-context-set-foreground '(20 60 160))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 30 10 30 20)
    (gimp-drawable-edit-fill layer FILL-FOREGROUND)
    (gimp-selection-none image)
    (gimp-image-clean-all image)
    image))

(define (layer-of image) (vector-ref (car (gimp-image-get-layers image)) 0))

(define (record-filtered name add . words)
  (let* ((image (make-scene)) (layer (layer-of image)))
    (apply add (append (list layer) words))
    (gimp-image-clean-all image)
    (record name image (vector layer))
    (check (string-append name ": the image is as it was") (= 0 (car (gimp-image-is-dirty image))))
    (gimp-image-delete image)))

(define invert '("gegl:invert-gamma" "" 28 1.0)) ; LAYER-MODE-NORMAL
(define mosaic '("gegl:pixelize" "" 28 1.0 "size-x" 8 "size-y" 8))

(define (run-tests)
  (apply record-filtered "invert-reference" gimp-drawable-merge-new-filter invert)
  (apply record-filtered "invert-filter" gimp-drawable-append-new-filter invert)
  (apply record-filtered "mosaic-reference" gimp-drawable-merge-new-filter mosaic)
  (apply record-filtered "mosaic-filter" gimp-drawable-append-new-filter mosaic)
  (let* ((image (make-scene)) (first (layer-of image)) (second (car (gimp-layer-copy first))))
    (gimp-image-insert-layer image second 0 0)
    (record "two-reference" image (vector first second))
    (record "two-selected" image (vector second first))
    (check "a word that does not exist is refused"
           (string? (error-of (lambda () (plug-in-svdiff-learn #:run-mode RUN-NONINTERACTIVE
                      #:image image #:drawables (vector first) #:nothing 1)))))
    (check "words in order may stop early"
           (string? (error-of (lambda () (plug-in-svdiff-learn RUN-NONINTERACTIVE image (vector))))))
    (gimp-image-delete image)))
