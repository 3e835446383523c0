; plug-in-svdiff-edit from Script-Fu, with a tiny model of the tests.

(define model (test-file "fixtures/models/sd1"))

(define (make-image)
  (let* ((image (car (gimp-image-new 80 70 RGB)))
         (layer (car (gimp-layer-new image 64 48 RGB-IMAGE "source" 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-offsets layer 7 5)
    (gimp-context-set-foreground '(200 90 30))
    (gimp-drawable-fill layer FILL-FOREGROUND)
    (gimp-image-clean-all image)
    image))

(define (source image)
  (car (reverse (layer-list image))))

(define (edit image prompt target structure count)
  (plug-in-svdiff-edit RUN-NONINTERACTIVE image (source image) prompt target model structure
    1 2 0 4 count))

(define (layer-box layer)
  (append (gimp-drawable-offsets layer)
          (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer)))))

(define (names layers)
  (map (lambda (l) (car (gimp-item-get-name l))) layers))

(define (test-edit)
  (let* ((image (make-image)) (before (pixels (source image)))
         (layers (vector->list (cadr (edit image "a wall" "a wall of bricks\na hedge" 0.5 2)))))
    (check "two pictures of each of two targets" (= 4 (length layers)))
    (check "named by target and seed"
           (equal? (names layers) '("a wall of bricks (seed 4)" "a wall of bricks (seed 5)"
                                    "a hedge (seed 4)" "a hedge (seed 5)")))
    (check "in a group above the layer" (= 2 (length (layer-list image))))
    (check "where the layer is" (equal? (layer-box (car layers)) '(7 5 64 48)))
    (check "the layer is as it was" (equal? before (pixels (source image))))
    (check "they carry their settings"
           (contains? (caddr (car (gimp-item-get-parasite (car layers) "svdiff-settings")))
                      "plug-in-svdiff-edit"))
    (gimp-image-delete image)))

(define (test-selection)
  (let* ((image (make-image)) (before (look image)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 10 10 20 20)
    (let ((layer (vector-ref (cadr (edit image "a wall" "a hedge" 0 1)) 0)))
      (check "a selection is the mask" (> (car (gimp-layer-get-mask layer)) 0))
      (check "who paints on paints into the layer" (= FALSE (car (gimp-layer-get-edit-mask layer)))))
    (check "what is selected is painted" (not (equal? (pixel before 20 20) (pixel (look image) 20 20))))
    (check-outside image before)
    (gimp-image-delete image)))

(define (test-beside)
  (let* ((image (make-image)) (before (pixels (source image)))
         (layers (vector->list
                   (cadr (edit image "a wall" "a wall on the left and a hedge on the right" 0.5 1)))))
    (check "a second thing beside it: one picture" (= 1 (length layers)))
    (check "... where the layer is" (equal? (layer-box (car layers)) '(7 5 64 48)))
    (check "... the layer is as it was" (equal? before (pixels (source image))))
    (gimp-image-delete image)))

(define (test-bad-input)
  (let ((image (make-image)))
    (check-fails "no description" image "prompt is empty" (lambda () (edit image "" "a hedge" 0 1)))
    (check-fails "no target" image "target is empty" (lambda () (edit image "a wall" "\n" 0 1)))
    (let ((empty (car (gimp-layer-new image 64 48 RGBA-IMAGE "empty" 100 LAYER-MODE-NORMAL)))
          (tiny (car (gimp-layer-new image 1 1 RGB-IMAGE "tiny" 100 LAYER-MODE-NORMAL)))
          (edit-layer (lambda (layer)
            (plug-in-svdiff-edit RUN-NONINTERACTIVE image layer "a wall" "a hedge" model 0 1 2 0 4 1))))
      (gimp-image-insert-layer image empty 0 0)
      (gimp-image-insert-layer image tiny 0 0)
      (gimp-image-clean-all image)
      (check-fails "empty layer" image "is empty" (lambda () (edit-layer empty)))
      (check-fails "1x1 layer" image "1x1" (lambda () (edit-layer tiny))))
    (check-fails "missing model" image "no-such"
                 (lambda () (plug-in-svdiff-edit RUN-NONINTERACTIVE image (source image) "a wall"
                              "a hedge" "/no-such/model" 0 1 2 0 4 1)))
    (check-fails "structure out of range" image "2.75"
                 (lambda () (edit image "a wall" "a hedge" 2.75 1)))
    (gimp-image-delete image)))

(define (run-tests)
  (test-edit)
  (test-selection)
  (test-beside)
  (test-bad-input))
