; The whole way once, for GIMP 3 in batch mode: learns a subject from its pictures, paints it as new
; layers, and saves the image (.xcf) and what came of it side by side (.png). resources/first-picture
; calls it so:
;
;   gimp-console-3.0 -i -d --batch-interpreter plug-in-script-fu-eval \
;        -b '(begin (load "resources/script-fu/gimp3/first-picture.scm")
;                   (svdiff-first-picture (list "1.png" "2.png" "3.png") "fox"
;                      "a photo of a [V] animal" (list "a photo of a [V] animal in the snow") "" 0 1 "fox"))' \
;        --quit
;
; pictures, name, learn-prompt: what is learned, and how it is called; prompts: what is painted, a
; layer each; model: "" is the one that ships; steps: of learning, 0 is the model's own number; seed:
; what random numbers begin with when it paints; output: the files are OUTPUT.xcf and OUTPUT.png.

; an image with a layer of each picture
(define (svdiff-open-pictures pictures)
  (let ((image (gimp-file-load RUN-NONINTERACTIVE (car pictures))))
    (for-each
     (lambda (picture)
       (gimp-image-insert-layer image (gimp-file-load-layer RUN-NONINTERACTIVE image picture) 0 -1))
     (cdr pictures))
    image))

; the picture of every layer side by side, saved as a PNG
(define (svdiff-save-row layers width height file)
  (let ((row (gimp-image-new (* (length layers) width) height RGB))
        (x 0))
    (for-each
     (lambda (layer)
       (let ((copy (gimp-layer-new-from-drawable layer row)))
         (gimp-image-insert-layer row copy 0 -1)
         (gimp-layer-scale copy width height FALSE)
         (gimp-layer-set-offsets copy x 0)
         (set! x (+ x width))))
     layers)
    (gimp-image-flatten row)
    (gimp-file-save RUN-NONINTERACTIVE row file)
    (gimp-image-delete row)))

(define (svdiff-first-picture pictures name learn-prompt prompts model steps seed output)
  (script-fu-use-v3) ; single results come as they are, no (car ...)
  (let* ((image (svdiff-open-pictures pictures))
         (learned (gimp-image-get-layers image))
         (top (vector (vector-ref learned 0))))
    (plug-in-svdiff-learn #:run-mode RUN-NONINTERACTIVE #:image image #:drawables learned
      #:name name #:prompt learn-prompt #:model model #:steps steps #:seed 1)
    (let* ((made (map (lambda (prompt)
                        (vector-ref (plug-in-svdiff-generate #:run-mode RUN-NONINTERACTIVE #:image image
                          #:drawables top #:prompt prompt #:subjects name #:model model #:seed seed
                          #:count 1) 0))
                      prompts))
           (one (car made)))
      (gimp-file-save RUN-NONINTERACTIVE image (string-append output ".xcf"))
      (svdiff-save-row (append (vector->list learned) made)
        (gimp-drawable-get-width one) (gimp-drawable-get-height one) (string-append output ".png"))
      (gimp-image-delete image)
      made)))
