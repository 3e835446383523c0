; Two subjects from two picture files in one picture, each in its half, for GIMP 3 in batch mode:
;
;   gimp-console-3.0 -i -d --batch-interpreter plug-in-script-fu-eval \
;        -b '(begin (load "two-subjects.scm")
;                   (svdiff-two-subjects "fox.png" "a photo of a [V] animal"
;                      "teapot.png" "a photo of a [V] pot"
;                      "a photo of a [V1] animal on the left and a [V2] pot on the right"
;                      4 1 "" 0 "two.xcf"))' --quit
;
; The masks say what of the pictures is the subject: here all that does not have the colour of the
; upper left corner. The channels say where each subject goes.

; the picture of the file as a layer of the image, with a mask of what is not background
(define (svdiff-add-subject image picture)
  (let ((layer (gimp-file-load-layer RUN-NONINTERACTIVE image picture)))
    (gimp-image-insert-layer image layer 0 -1)
    (gimp-context-set-sample-threshold 0.1)
    (gimp-image-select-contiguous-color image CHANNEL-OP-REPLACE layer 0 0)
    (gimp-selection-invert image)
    (gimp-layer-add-mask layer (gimp-layer-create-mask layer ADD-MASK-SELECTION))
    (gimp-selection-none image)
    layer))

; a channel of this name that is white from x on, half the image wide
(define (svdiff-add-half image name x)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0
    (/ (gimp-image-get-width image) 2) (gimp-image-get-height image))
  (gimp-item-set-name (gimp-selection-save image) name)
  (gimp-selection-none image))

; first, second: files; their prompts with [V]; prompt: what is painted, with [V1] and [V2]; count:
; how often; seed: what random numbers begin with; model: "" is the one that ships; steps: of
; learning, 0 is the model's own number; output: the .xcf file. Gives the new layers.
(define (svdiff-two-subjects first first-prompt second second-prompt prompt count seed model steps output)
  (script-fu-use-v3) ; single results come as they are, no (car ...)
  (let* ((image (gimp-file-load RUN-NONINTERACTIVE first))
         (one (svdiff-add-subject image first))
         (two (svdiff-add-subject image second)))
    (svdiff-add-half image "left" 0)
    (svdiff-add-half image "right" (/ (gimp-image-get-width image) 2))
    (let ((made (plug-in-svdiff-compose #:run-mode RUN-NONINTERACTIVE #:image image
                  #:drawables (vector one two)
                  #:prompts (string-append first-prompt "; " second-prompt)
                  #:region-channels "left; right" #:prompt prompt #:model model #:steps steps
                  #:seed seed #:count count)))
      (gimp-file-save RUN-NONINTERACTIVE image output)
      (gimp-image-delete image)
      made)))
