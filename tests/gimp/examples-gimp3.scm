; The Script-Fu examples for GIMP 3, with the tiny model in place of the one that ships. They choose
; the dialect of GIMP 3, in which single results come as they are; the checks want the older one.

(define model (test-file "fixtures/models/sd1"))
(define (example name) (test-file (string-append "../resources/script-fu/gimp3/" name ".scm")))
(define (subject name) (test-file (string-append "../resources/subjects/" name ".png")))
(define (in-files name) (string-append files-folder "/" name))

(load (example "first-picture"))
(load (example "variations"))
(load (example "two-subjects"))
(load (example "edit-folder"))

; what an example gives
(define (run-example call . words)
  (let ((given (apply call words)))
    (script-fu-use-v2)
    given))

(define (open-file file) (car (gimp-file-load RUN-NONINTERACTIVE file)))
(define (layers-of image) (vector->list (car (gimp-image-get-layers image))))
(define (children-of group) (vector->list (car (gimp-item-get-children group))))
(define (settings layer) (caddr (car (gimp-item-get-parasite layer "svdiff-settings"))))

(define (picture-size image)
  (list (car (gimp-image-get-width image)) (car (gimp-image-get-height image))))

(define (colours layer)
  (map (lambda (at) (car (gimp-drawable-get-pixel layer (car at) (cadr at))))
       '((10 10) (64 64) (40 80) (90 30) (100 100))))

(define (filter-made layers) ; those that were painted
  (cond ((null? layers) '())
        ((null? (car (gimp-item-get-parasite-list (car layers)))) (filter-made (cdr layers)))
        (else (cons (car layers) (filter-made (cdr layers))))))

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
           (let ((one (car made)))
             (equal? (picture-size row) (list (* 4 (car (gimp-drawable-get-width one)))
                                              (car (gimp-drawable-get-height one))))))
    (check "none of them white"
           (let ((all (car (layers-of row))) (width (/ (car (picture-size row)) 4)))
             (not (member '(255 255 255)
                    (map (lambda (n) (car (gimp-drawable-get-pixel all (+ (* n width) (quotient width 2))
                                                                   (quotient width 2))))
                         '(0 1 2 3))))))
    (gimp-image-delete image)
    (gimp-image-delete row)))

(define (test-variations)
  (let* ((image (run-example svdiff-variations (subject "fox/1") "varied" "a photo of [V]"
                             "a photo of [V]" 10 3 model 2))
         (made (children-of (car (layers-of image)))))
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
           (= 2 (length (children-of (car layers)))))
    (check "masks leave out the background"
           (and (= 0 (car (car (gimp-drawable-get-pixel mask 0 0))))
                (= 255 (car (car (gimp-drawable-get-pixel mask 64 64))))))
    (check "two channels" (= 2 (vector-length (car (gimp-image-get-channels image)))))
    (gimp-image-delete image)))

(define (test-edit-folder)
  (let ((files (run-example svdiff-edit-folder (in-files "houses") "a castle" "a castle in the snow"
                            (in-files "winter") 4 model 2)))
    (check "a folder: a file for each"
           (and (= 2 (length files)) (member (in-files "winter/one.png") files)
                (member (in-files "winter/two.png") files)))
    (check "of the same size" (equal? (picture-size (open-file (car files))) '(128 128)))
    (check "but another picture"
           (not (equal? (colours (car (layers-of (open-file (car files)))))
                        (colours (car (layers-of (open-file (in-files "houses/one.png"))))))))))

(define (run-tests)
  (test-first-picture)
  (test-variations)
  (test-two-subjects)
  (test-edit-folder))
