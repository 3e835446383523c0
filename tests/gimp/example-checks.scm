; What the Script-Fu examples make, with the tiny model in place of the one that ships. Loaded by
; examples.scm in GIMP 2.10 and by examples-gimp3.scm in GIMP 3, which define before
;   example NAME              the file of an example
;   run-example CALL WORD...  what the example gives
;   open-file FILE, layers-of IMAGE, channels-of IMAGE (how many), size-of IMAGE, layer-size LAYER,
;   members-of GROUP, colour-at LAYER X Y, has-settings? LAYER

(define model (test-file "fixtures/models/sd1"))
(define (subject name) (test-file (string-append "../resources/subjects/" name ".png")))
(define (in-files name) (string-append files-folder "/" name))

(load (example "first-picture"))
(load (example "variations"))
(load (example "two-subjects"))
(load (example "edit-folder"))

(define (settings layer) (caddr (car (gimp-item-get-parasite layer "svdiff-settings"))))

(define (colours layer)
  (map (lambda (at) (colour-at layer (car at) (cadr at)))
       '((10 10) (64 64) (40 80) (90 30) (100 100))))

(define (filter-made layers) ; those that were painted
  (cond ((null? layers) '())
        ((has-settings? (car layers)) (cons (car layers) (filter-made (cdr layers))))
        (else (filter-made (cdr layers)))))

(define (test-first-picture)
  (run-example svdiff-first-picture (list (subject "fox/1") (subject "fox/2")) "first"
    "a photo of [V]" (list "a photo of [V] in snow" "a photo of [V] at night") model 3 1
    (in-files "first"))
  (let* ((image (open-file (in-files "first.xcf"))) (row (open-file (in-files "first.png")))
         (made (filter-made (layers-of image))))
    (check "first picture: two new layers beside two pictures"
           (and (= 4 (length (layers-of image))) (= 2 (length made))))
    (check "they carry their settings, each its own"
           (and (contains? (apply string-append (map settings made)) "in snow")
                (contains? (apply string-append (map settings made)) "at night")))
    (check "all four side by side"
           (let ((one (layer-size (car made))))
             (equal? (size-of row) (list (* 4 (car one)) (cadr one)))))
    (check "none of them white"
           (let ((all (car (layers-of row))) (width (/ (car (size-of row)) 4)))
             (not (member '(255 255 255)
                    (map (lambda (n) (colour-at all (+ (* n width) (quotient width 2)) (quotient width 2)))
                         '(0 1 2 3))))))
    (gimp-image-delete image)
    (gimp-image-delete row)))

(define (test-variations)
  (let* ((image (run-example svdiff-variations (subject "fox/1") "varied" "a photo of [V]"
                             "a photo of [V]" 10 3 model 2))
         (made (members-of (car (layers-of image)))))
    (check "variations: ten layers" (= 10 (length made)))
    (check "each with its seed" (contains? (settings (list-ref made 9)) "\"seed\":12"))
    (check "each another picture" (not (equal? (colours (car made)) (colours (cadr made)))))
    (gimp-image-delete image)))

(define (test-two-subjects)
  (run-example svdiff-two-subjects (subject "fox/1") "a photo of a [V] animal" (subject "teapot/1")
    "a photo of a [V] pot" "a [V1] animal beside a [V2] pot" 2 5 model 2 (in-files "two.xcf"))
  (let* ((image (open-file (in-files "two.xcf"))) (layers (layers-of image))
         (mask (car (gimp-layer-get-mask (cadr layers)))))
    (check "two subjects: a group of two pictures above what was learned"
           (= 2 (length (members-of (car layers)))))
    (check "masks leave out the background"
           (and (= 0 (car (colour-at mask 0 0))) (= 255 (car (colour-at mask 64 64)))))
    (check "two channels" (= 2 (channels-of image)))
    (gimp-image-delete image)))

(define (test-edit-folder)
  (let ((files (run-example svdiff-edit-folder (in-files "houses") "a castle" "a castle in the snow"
                            (in-files "winter") 4 model 2)))
    (check "a folder: a file for each"
           (and (= 2 (length files)) (member (in-files "winter/one.png") files)
                (member (in-files "winter/two.png") files)))
    (check "of the same size" (equal? (size-of (open-file (car files))) '(128 128)))
    (check "but another picture"
           (not (equal? (colours (car (layers-of (open-file (car files)))))
                        (colours (car (layers-of (open-file (in-files "houses/one.png"))))))))))

(define (run-tests)
  (test-first-picture)
  (test-variations)
  (test-two-subjects)
  (test-edit-folder))
