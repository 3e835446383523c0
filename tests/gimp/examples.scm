; The Script-Fu examples, with the tiny model in place of the one that ships.

(define model (test-file "fixtures/models/sd1"))
(define picture (test-file "fixtures/pictures/rgb8.png"))

(load (test-file "../resources/script-fu/first-picture.scm"))

(define (test-first-picture)
  (let ((output (string-append files-folder "/first")))
    (svdiff-first-picture picture "first" "a photo of [V]" "a photo of [V]" 2 3 model output)
    (check "the first picture as an image" (file-exists? (string-append output ".xcf")))
    (check "the first picture as it looks" (file-exists? (string-append output ".png")))
    (let* ((file (string-append output ".xcf"))
           (image (car (gimp-file-load RUN-NONINTERACTIVE file file)))
           (group (car (layer-list image))))
      (check "the image has the layers in a group" (= 2 (length (children group))))
      (check "the layers of the file carry their settings"
             (contains? (caddr (car (gimp-item-get-parasite (car (children group)) "svdiff-settings")))
                        "a photo of [V]"))
      (gimp-image-delete image))))

(define (run-tests)
  (test-first-picture))
