; The same seed gives the same picture as the command, in every procedure: same.before has run it.
; Files are compared by same.after.

(define model (test-file "fixtures/models/sd1"))
(define picture (test-file "../resources/subjects/castle/1.png"))
(define other (test-file "../resources/subjects/fox/1.png"))
(define (in-files name) (string-append files-folder "/" name))

(define (open-file file)
  (car (gimp-file-load RUN-NONINTERACTIVE file file)))

; what lies of the command's picture where the layer lies
(define (command-layer image name box)
  (let ((loaded (open-file (in-files (string-append "command-" name ".png")))))
    (if (pair? box) (gimp-image-crop loaded (caddr box) (cadddr box) (car box) (cadr box)))
    (let ((layer (car (gimp-layer-new-from-drawable (car (layer-list loaded)) image))))
      (gimp-image-delete loaded)
      layer)))

; how many pixels of two layers differ by more than one step of 8 bits
(define (count-different lower upper)
  (let* ((width (car (gimp-drawable-width lower))) (height (car (gimp-drawable-height lower)))
         (image (car (gimp-image-new width height RGB)))
         (below (car (gimp-layer-new-from-drawable lower image)))
         (above (car (gimp-layer-new-from-drawable upper image))))
    (for-each
     (lambda (layer)
       (gimp-image-insert-layer image layer 0 0)
       (if (> (car (gimp-layer-get-mask layer)) 0) (gimp-layer-remove-mask layer MASK-DISCARD))
       (gimp-layer-set-offsets layer 0 0))
     (list below above))
    (gimp-layer-set-mode above LAYER-MODE-DIFFERENCE)
    (let* ((both (car (gimp-layer-new-from-visible image image "difference")))
           (counts (begin (gimp-image-insert-layer image both 0 0)
                          (gimp-drawable-histogram both HISTOGRAM-VALUE 0.006 1))))
      (gimp-image-delete image)
      (list-ref counts 4))))

(define (size-of layer)
  (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer))))

; the layer that a procedure made against the command's picture, or a part of it
(define (compare what made name . box)
  (let* ((image (car (gimp-item-get-image made)))
         (command (command-layer image name (if (pair? box) (car box) #f))))
    (check (string-append what ": the command's picture has the same size")
           (equal? (size-of made) (size-of command)))
    (let ((different (count-different made command)))
      (if (> different 0) (remark different))
      (check (string-append what ": and the same pixels within 1/255") (= 0 different)))))

(define (made-by call)
  (vector->list (cadr call)))

(define (test-alone)
  (let ((made (made-by (plug-in-svdiff-generate RUN-NONINTERACTIVE -1 -1 "a fox in the snow" "" ""
                         model "none" 0 "" 0 0 3 4 "" 11 2)))
        (created (made-by (plug-in-svdiff-create RUN-NONINTERACTIVE "a fox in the snow" "" "" model
                            0 0 3 4 "" 11 2))))
    (compare "generate" (car made) "0")
    (compare "generate, the next seed" (cadr made) "1")
    (compare "create" (car created) "0")
    (compare "create, the next seed" (cadr created) "1")
    (check "the pictures differ from each other"
           (not (equal? (pixels (car made)) (pixels (cadr made)))))))

(define (generate image prompt init strength regions width height)
  (car (made-by (plug-in-svdiff-generate RUN-NONINTERACTIVE image (car (reverse (layer-list image)))
                  prompt "" "" model init strength regions width height 3 4 "" 11 1))))

(define (add-half image name x)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0 64 128)
  (gimp-item-set-name (car (gimp-selection-save image)) name)
  (gimp-selection-none image))

(define (test-with-image)
  (let ((image (open-file picture)))
    (compare "from a layer" (generate image "a fox" "layer" 0.5 "" 64 64) "layer")
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 32 40 48 40)
    (compare "into a selection" (generate image "a fox" "selection" 0 "" 0 0) "selection"
             '(32 40 48 40))
    (gimp-selection-none image)
    (add-half image "left" 0)
    (add-half image "right" 64)
    (compare "texts in regions"
             (generate image "two things" "none" 0 "left=a fox; right=a pot" 128 128) "regions")
    (gimp-image-delete image)))

(define (test-edit)
  (let* ((image (open-file picture))
         (made (made-by (plug-in-svdiff-edit RUN-NONINTERACTIVE image (car (layer-list image))
                          "a castle" "a house\na castle at night" model 0 2 3 4 11 1))))
    (compare "edit" (car made) "edit-0")
    (compare "edit, another target" (cadr made) "edit-1")
    (gimp-image-delete image)))

(define (test-learn)
  (let ((image (open-file picture)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 10 10 108 108)
    (plug-in-svdiff-learn RUN-NONINTERACTIVE image (car (layer-list image)) ""
      "a photo of a [V] castle" "" -1 -1 model 2 0 64 7 (in-files "learned.safetensors"))
    (plug-in-svdiff-convert RUN-NONINTERACTIVE (in-files "learned.safetensors") "lora"
      (in-files "lora.safetensors") model 4)
    (gimp-image-delete image)))

(define (test-compose)
  (let* ((image (open-file picture)) (castle (car (layer-list image)))
         (fox (car (gimp-file-load-layer RUN-NONINTERACTIVE image other))))
    (gimp-image-insert-layer image fox 0 0)
    (add-half image "left" 0)
    (add-half image "right" 64)
    (compare "compose"
      (car (made-by (plug-in-svdiff-compose RUN-NONINTERACTIVE image 2 (vector castle fox)
                      "a photo of a [V] castle; a photo of a [V] fox" "" "left; right"
                      "a [V1] castle and a [V2] fox" "" model 2 0.5 1 128 128 9 1
                      (in-files "both.safetensors"))))
      "compose")
    (gimp-image-delete image)))

(define (run-tests)
  (test-alone)
  (test-with-image)
  (test-edit)
  (test-learn)
  (test-compose))
