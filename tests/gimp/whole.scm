; The whole way with the model that ships: a thing that it does not know is learned from what of a
; layer is selected, generated, painted into a selection of another image, a layer is edited, and two
; subjects are composed. How much the results look like it is nothing that a script can tell; few
; steps are learned here, and resources/first-picture makes pictures to look at.

(define (subject name) (test-file (string-append "../resources/subjects/" name ".png")))

(define (open-file file)
  (car (gimp-file-load RUN-NONINTERACTIVE file file)))

(define (layer-of image) (car (reverse (layer-list image))))

(define (made-by call)
  (vector->list (cadr call)))

(define (size-of layer)
  (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer))))

; how many of 256 pixels of two layers have other colours
(define (count-different a b)
  (let loop ((i 0) (n 0))
    (if (= i 256) n
        (let ((x (* 8 (modulo i 16))) (y (* 8 (quotient i 16))))
          (loop (+ i 1) (if (equal? (pixel a x y) (pixel b x y)) n (+ n 1)))))))

(define (select-all-but-corner image)
  (gimp-context-set-sample-threshold 0.1)
  (gimp-image-select-contiguous-color image CHANNEL-OP-REPLACE (layer-of image) 1 1)
  (gimp-selection-invert image))

(define (test-learn)
  (let ((image (open-file (subject "fox/1"))))
    (select-all-but-corner image)
    (check "a subject is learned from what is selected"
           (file-exists? (car (plug-in-svdiff-learn RUN-NONINTERACTIVE image (layer-of image) "fox"
                                "a photo of a [V] animal" "" -1 -1 "" 10 0 0 1 ""))))
    (gimp-image-delete image)))

(define (generate image prompt subjects init count)
  (made-by (plug-in-svdiff-generate RUN-NONINTERACTIVE image (layer-of image) prompt "" subjects ""
             init 0 "" 0 0 4 0 "" 3 count)))

(define (test-generate)
  (let* ((image (open-file (subject "fox/1")))
         (four (generate image "a photo of a [V] animal in the snow" "fox" "none" 4))
         (none (car (generate image "a photo of a [V] animal in the snow" "fox:0" "none" 1))))
    (check "four layers of it" (= 4 (length four)))
    (check "in the model's own size" (equal? (map size-of four) '((128 128) (128 128) (128 128) (128 128))))
    (check "each is another" (> (count-different (car four) (cadr four)) 200))
    (check "what was learned shows: without its shifts it is another picture" (> (count-different (car four) none) 100))
    (gimp-image-delete image)))

(define (ends-with? text end)
  (let ((from (- (string-length text) (string-length end))))
    (and (>= from 0) (equal? end (substring text from (string-length text))))))

; by other methods, which the name says: Generate calls them by the same
(define (test-methods)
  (let ((image (open-file (subject "fox/1"))))
    (for-each
      (lambda (named)
        (let ((file (car (plug-in-svdiff-learn RUN-NONINTERACTIVE image (layer-of image) (car named)
                           "a photo of a [V] animal" "" -1 -1 "" 4 0.05 0 1 "")))
              (prompt "a photo of a <fox> animal in the snow"))
          (check (string-append (car named) ": learned among its kind") (ends-with? file (cadr named)))
          (check (string-append (car named) ": paints another picture")
                 (> (count-different (car (generate image prompt (car named) "none" 1))
                                     (car (generate image prompt "" "none" 1))) 50))))
      '(("lora fox" "/svdiff/loras/fox.safetensors") ("embedding fox" "/svdiff/embeddings/fox.safetensors")))
    (check-fails "a name that lists could not have" image "without ; and :"
                 (lambda () (plug-in-svdiff-learn RUN-NONINTERACTIVE image (layer-of image) "lora a:b"
                              "a photo of a [V] animal" "" -1 -1 "" 1 0 0 1 "")))
    (gimp-image-delete image)))

(define (test-paint)
  (let* ((image (open-file (subject "castle/1"))) (before (look image)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 30 30 60 70)
    (let ((made (car (generate image "a photo of a [V] animal" "fox" "selection" 1))))
      (check "painted into a selection: as large as that" (equal? (size-of made) '(60 70)))
      (check "and to be seen" (not (equal? (pixel before 60 64) (pixel (look image) 60 64))))
      (check-outside image before))
    (gimp-image-delete image)))

(define (test-edit)
  (let* ((image (open-file (subject "castle/1"))) (before (pixels (layer-of image)))
         (made (made-by (plug-in-svdiff-edit RUN-NONINTERACTIVE image (layer-of image)
                          "a photo of a castle" "a photo of a castle at night" "" 0 10 4 0 3 1))))
    (check "an edited layer is another picture" (> (count-different (layer-of image) (car made)) 200))
    (check "the layer itself stays as it was" (equal? before (pixels (layer-of image))))
    (gimp-image-delete image)))

(define (add-half image name x)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0 64 128)
  (gimp-item-set-name (car (gimp-selection-save image)) name)
  (gimp-selection-none image))

(define (test-compose)
  (let* ((image (open-file (subject "fox/1"))) (fox (layer-of image))
         (teapot (car (gimp-file-load-layer RUN-NONINTERACTIVE image (subject "teapot/1")))))
    (gimp-image-insert-layer image teapot 0 0)
    (add-half image "left" 0)
    (add-half image "right" 64)
    (let ((made (made-by (plug-in-svdiff-compose RUN-NONINTERACTIVE image 2 (vector fox teapot)
                  "a photo of a [V] animal; a photo of a [V] pot" "" "left; right"
                  "a [V1] animal and a [V2] pot" "" "" 6 0 0 0 0 3 1 ""))))
      (check "two subjects in one picture" (equal? (size-of (car made)) '(128 128)))
      (check "for each half another"
             (not (equal? (pixel (car made) 32 64) (pixel (car made) 96 64)))))
    (gimp-image-delete image)))

(define (run-tests)
  (test-learn)
  (test-generate)
  (test-methods)
  (test-paint)
  (test-edit)
  (test-compose))
