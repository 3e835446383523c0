; The whole way once, for GIMP 2.10 in batch mode: learns the subject of a picture file, paints it
; again as layers above that picture, and saves the image (.xcf) and what it shows (.png).
;
;   gimp -i -d -b '(begin (load "resources/script-fu/first-picture.scm")
;                         (svdiff-first-picture "resources/subjects/fox/1.png" "fox"
;                            "a photo of a [V] animal" "a [V] animal in the snow" 4 0 "" "first"))' \
;        -b '(gimp-quit 0)'
;
; picture, name, learn-prompt: what is learned, and how it is called; prompt: what is painted;
; count: how many layers; steps: of learning, 0 is the model's own number; model: "" is the one that
; ships; output: the files are OUTPUT.xcf and OUTPUT.png. GIMP ends with 0 even when a script fails: look whether the files are there.

; the picture of every layer side by side, saved as a PNG
(define (svdiff-save-row image layers width height file)
  (let* ((n (length layers))
         (row (car (gimp-image-new (* n width) height RGB)))
         (at 0))
    (for-each
     (lambda (layer)
       (let ((copy (car (gimp-layer-new-from-drawable layer row))))
         (gimp-image-insert-layer row copy 0 -1)
         (gimp-layer-scale copy width height FALSE)
         (gimp-layer-set-offsets copy (* at width) 0)
         (set! at (+ at 1))))
     layers)
    (let ((all (car (gimp-image-flatten row))))
      (file-png-save RUN-NONINTERACTIVE row all file file FALSE 9 FALSE FALSE FALSE FALSE FALSE))
    (gimp-image-delete row)))

(define (svdiff-first-picture picture name learn-prompt prompt count steps model output)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE picture picture)))
         (layer (car (gimp-image-get-active-layer image)))
         (file (car (plug-in-svdiff-learn RUN-NONINTERACTIVE image layer
                     name learn-prompt "" -1 -1 model steps 0 0 1 "")))
         (made (plug-in-svdiff-generate RUN-NONINTERACTIVE image layer
                prompt "" name model "none" 0 "" 0 0 0 0 "" 1 count))
         (layers (vector->list (cadr made)))
         (first (car layers)))
    (gimp-xcf-save RUN-NONINTERACTIVE image layer (string-append output ".xcf")
                   (string-append output ".xcf"))
    (svdiff-save-row image (cons layer layers) (car (gimp-drawable-width first))
                     (car (gimp-drawable-height first)) (string-append output ".png"))
    (gimp-image-delete image)
    file))
