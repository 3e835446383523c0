; The whole way once, for GIMP 2.10 in batch mode: learns a subject from its pictures, paints it as
; new layers, and saves the image (.xcf) and what came of it side by side (.png). resources/first-picture
; calls it so:
;
;   gimp -i -d -b '(begin (load "resources/script-fu/gimp2/first-picture.scm")
;                         (svdiff-first-picture (list "1.png" "2.png" "3.png") "fox"
;                            "a photo of a [V] animal" (list "a photo of a [V] animal in the snow") "" 0 1
;                            "fox"))' \
;        -b '(gimp-quit 0)'
;
; pictures, name, learn-prompt: what is learned, and how it is called; prompts: what is painted, a
; layer each; model: "" is the one that ships; steps: of learning, 0 is the model's own number; seed:
; what random numbers begin with when it paints; output: the files are OUTPUT.xcf and OUTPUT.png. GIMP
; 2.10 ends with 0 even when a script fails: look whether the files are there.

; an image with a layer of each picture; all layers are linked, which chooses them together
(define (svdiff-open-pictures pictures)
  (let ((image (car (gimp-file-load RUN-NONINTERACTIVE (car pictures) (car pictures)))))
    (for-each
     (lambda (picture)
       (gimp-image-insert-layer image
         (car (gimp-file-load-layer RUN-NONINTERACTIVE image picture)) 0 -1))
     (cdr pictures))
    (for-each
     (lambda (layer) (gimp-item-set-linked layer TRUE))
     (vector->list (cadr (gimp-image-get-layers image))))
    image))

; the picture of every layer side by side, saved as a PNG
(define (svdiff-save-row layers width height file)
  (let ((row (car (gimp-image-new (* (length layers) width) height RGB)))
        (x 0))
    (for-each
     (lambda (layer)
       (let ((copy (car (gimp-layer-new-from-drawable layer row))))
         (gimp-image-insert-layer row copy 0 -1)
         (gimp-item-set-linked copy FALSE) ; linked layers move together
         (gimp-layer-scale copy width height FALSE)
         (gimp-layer-set-offsets copy x 0)
         (set! x (+ x width))))
     layers)
    (file-png-save-defaults RUN-NONINTERACTIVE row (car (gimp-image-flatten row)) file file)
    (gimp-image-delete row)))

(define (svdiff-first-picture pictures name learn-prompt prompts model steps seed output)
  (let* ((image (svdiff-open-pictures pictures))
         (learned (vector->list (cadr (gimp-image-get-layers image))))
         (layer (car learned)))
    ; name, prompt, class-prompt, mask-channel, region-channel, model, steps, learning-rate, size,
    ; seed, output: 0, -1 and "" stand for the defaults
    (plug-in-svdiff-learn RUN-NONINTERACTIVE image layer
      name learn-prompt "" -1 -1 model steps 0 0 1 "")
    ; prompt, negative, subjects, model, init, strength, regions, width, height, steps, guidance,
    ; sampler, seed, count
    (let ((layers (map (lambda (prompt)
                         (vector-ref (cadr (plug-in-svdiff-generate RUN-NONINTERACTIVE image layer
                           prompt "" name model "none" 0 "" 0 0 0 0 "" seed 1)) 0))
                       prompts)))
      (gimp-xcf-save RUN-NONINTERACTIVE image layer
        (string-append output ".xcf") (string-append output ".xcf"))
      (svdiff-save-row (append learned layers) (car (gimp-drawable-width (car layers)))
        (car (gimp-drawable-height (car layers))) (string-append output ".png"))
      (gimp-image-delete image)
      layers)))
