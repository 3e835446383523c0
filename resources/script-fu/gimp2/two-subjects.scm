; Two subjects from two picture files in one picture, each in its half, for GIMP 2.10 in batch mode:
;
;   gimp -i -d -b '(begin (load "two-subjects.scm")
;                         (svdiff-two-subjects "fox.png" "a photo of a [V] animal"
;                            "teapot.png" "a photo of a [V] pot"
;                            "a photo of a [V1] animal on the left and a [V2] pot on the right"
;                            4 1 "" 0 "two.xcf"))' -b '(gimp-quit 0)'
;
; The masks say what of the pictures is the subject: here all that does not have the colour of the
; upper left corner. The channels say where each subject goes.

; the picture of the file as a layer of the image, with a mask of what is not background
(define (svdiff-add-subject image picture)
  (let ((layer (car (gimp-file-load-layer RUN-NONINTERACTIVE image picture))))
    (gimp-image-insert-layer image layer 0 -1)
    (gimp-context-set-sample-threshold 0.1)
    (gimp-image-select-contiguous-color image CHANNEL-OP-REPLACE layer 0 0)
    (gimp-selection-invert image)
    (gimp-layer-add-mask layer (car (gimp-layer-create-mask layer ADD-MASK-SELECTION)))
    (gimp-selection-none image)
    layer))

; a channel of this name that is white from x on, half the image wide
(define (svdiff-add-half image name x)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0
    (/ (car (gimp-image-width image)) 2) (car (gimp-image-height image)))
  (gimp-item-set-name (car (gimp-selection-save image)) name)
  (gimp-selection-none image))

; first, second: files; their prompts with [V]; prompt: what is painted, with [V1] and [V2]; count:
; how often; seed: what random numbers begin with; model: "" is the one that ships; steps: of
; learning, 0 is the model's own number; output: the .xcf file. Gives the new layers.
(define (svdiff-two-subjects first first-prompt second second-prompt prompt count seed model steps output)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE first first)))
         (one (svdiff-add-subject image first))
         (two (svdiff-add-subject image second)))
    (svdiff-add-half image "left" 0)
    (svdiff-add-half image "right" (/ (car (gimp-image-width image)) 2))
    ; how many layers, layers, their prompts, class-prompts, region-channels, prompt, negative, model,
    ; steps, cut-mix, unmix, width, height, seed, count, output
    (let ((made (plug-in-svdiff-compose RUN-NONINTERACTIVE image 2 (vector one two)
                  (string-append first-prompt "; " second-prompt) "" "left; right" prompt "" model
                  steps 0 0 0 0 seed count "")))
      (gimp-xcf-save RUN-NONINTERACTIVE image one output output)
      (gimp-image-delete image)
      (vector->list (cadr made)))))
