; plug-in-svdiff-compose from Script-Fu, with a tiny model of the tests.

(define model (test-file "fixtures/models/sd1"))
(define subjects (string-append files-folder "/both.safetensors"))

; an image of 96x64 with two layers, each with a mask of its subject, and a channel for each half
(define (make-image)
  (let* ((image (car (gimp-image-new 96 64 RGB))))
    (add-subject image "fox" '(230 120 20) 8)
    (add-subject image "cat" '(90 90 100) 40)
    (add-half image "left" 0)
    (add-half image "right" 48)
    (gimp-selection-none image)
    (gimp-image-clean-all image)
    image))

(define (add-subject image name colour x)
  (let ((layer (car (gimp-layer-new image 96 64 RGB-IMAGE name 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 -1)
    (gimp-drawable-fill layer FILL-WHITE)
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE x 10 40 40)
    (gimp-context-set-foreground colour)
    (gimp-drawable-edit-fill layer FILL-FOREGROUND)
    (gimp-layer-add-alpha layer)
    (gimp-layer-add-mask layer (car (gimp-layer-create-mask layer ADD-MASK-SELECTION)))))

(define (add-half image name x)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0 48 64)
  (gimp-item-set-name (car (gimp-selection-save image)) name))

(define (compose image layers prompts regions prompt negative)
  (plug-in-svdiff-compose RUN-NONINTERACTIVE image (vector-length layers) layers prompts "" regions
    prompt negative model 2 1 0.5 64 48 9 2 subjects))

(define (all-layers image)
  (cadr (gimp-image-get-layers image)))

(define (layer-box layer)
  (append (gimp-drawable-offsets layer)
          (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer)))))

(define (test-compose)
  (let* ((image (make-image)) (layers (all-layers image))
         (made (vector->list (cadr (compose image layers "" "left; right" "[V1] and [V2] at sea" "[classes]")))))
    (check "two pictures" (= 2 (length made)))
    (check "in a group above the layers" (= 3 (length (layer-list image))))
    (check "that cover the image" (equal? (layer-box (car made)) '(0 0 96 64)))
    (check "named by prompt and seed"
           (equal? (car (gimp-item-get-name (cadr made))) "[V1] and [V2] at sea (seed 10)"))
    (check "the subjects are in one file" (file-exists? subjects))
    (let* ((turned (vector (vector-ref layers 1) (vector-ref layers 0)))
           (again (vector->list (cadr (compose image turned "" "" "[V1] and [V2] at sea" "")))))
      (check "above all of the layers, in whatever order they are given"
             (equal? (children (cadr (layer-list image))) again)))
    (gimp-image-delete image)))

; places need no channel, and subjects no [V]
(define (test-words)
  (let* ((image (make-image)) (layers (all-layers image))
         (draw (lambda (regions prompt)
           (map pixels (vector->list (cadr (compose image layers "" regions prompt "[classes]"))))))
         (made (draw "left; right" "a [V2] fox and a [V1] cat at sea")))
    (check "halves of the picture" (equal? made (draw "left half; right half"
                                                      "a [V2] fox and a [V1] cat at sea")))
    (check "which are not each other's" (not (equal? made (draw "right half; left half"
                                                      "a [V2] fox and a [V1] cat at sea"))))
    (check "subjects by what they are" (equal? made (draw "left; right" "a fox and a cat at sea")))
    (gimp-image-delete image)))

(define (test-bad-input)
  (let* ((image (make-image)) (layers (all-layers image)))
    (check-fails "one layer" image "One layer is chosen"
                 (lambda () (compose image (vector (vector-ref layers 0)) "" "" "[V1]" "")))
    (gimp-item-set-name (vector-ref layers 1) "IMG_0412.JPG")
    (gimp-image-clean-all image)
    (check-fails "a name that says nothing" image "What does the layer “IMG_0412.JPG” show?"
                 (lambda () (compose image layers "" "" "[V1]" "")))
    (check-fails "one prompt of two, and the other name says nothing" image "What does the layer"
                 (lambda () (compose image layers "a [V] cat;" "" "[V1]" "")))
    (gimp-item-set-name (vector-ref layers 1) "Fox.png #1")
    (gimp-image-clean-all image)
    (check-fails "prompts of another number" image "prompts has 3 parts for 2 layers"
                 (lambda () (compose image layers "a; b; c" "" "[V1]" "")))
    (check-fails "no such place" image "which is no channel"
                 (lambda () (compose image layers "" "left; middle" "[V1]" "")))
    (check-fails "places of another number" image "region-channels has 1 parts for 2 layers"
                 (lambda () (compose image layers "" "left half" "[V1]" "")))
    (check-fails "cut-mix out of range" image "3.75"
                 (lambda () (plug-in-svdiff-compose RUN-NONINTERACTIVE image 2 layers "" "" "" "[V1]" ""
                              model 2 3.75 0 64 48 9 1 subjects)))
    (check-fails "missing model" image "no-such"
                 (lambda () (plug-in-svdiff-compose RUN-NONINTERACTIVE image 2 layers "" "" "" "[V1]" ""
                              "/no-such/model" 2 0 0 64 48 9 1 subjects)))
    (check-fails "no prompt" image "prompt is empty" (lambda () (compose image layers "" "" "" "")))
    (gimp-image-delete image)))

(define (run-tests)
  (test-compose)
  (test-words)
  (test-bad-input))
