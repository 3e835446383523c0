; The Script-Fu examples for GIMP 2.10; what is checked is in example-checks.scm.

(define (example name) (test-file (string-append "../resources/script-fu/gimp2/" name ".scm")))
(define (run-example call . words) (apply call words))

(define (open-file file) (car (gimp-file-load RUN-NONINTERACTIVE file file)))
(define layers-of layer-list)
(define members-of children)
(define colour-at pixel)
(define (channels-of image) (car (gimp-image-get-channels image)))
(define (has-settings? layer) (< 0 (car (gimp-item-get-parasite-list layer))))

(define (size-of image)
  (list (car (gimp-image-width image)) (car (gimp-image-height image))))
(define (layer-size layer)
  (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer))))

(load (test-file "gimp/example-checks.scm"))
