; The Script-Fu examples for GIMP 3; what is checked is in example-checks.scm. They choose the dialect
; of GIMP 3, in which single results come as they are; the checks want the older one.

(define (example name) (test-file (string-append "../resources/script-fu/gimp3/" name ".scm")))
(define (run-example call . words)
  (let ((given (apply call words)))
    (script-fu-use-v2)
    given))

(define (open-file file) (car (gimp-file-load RUN-NONINTERACTIVE file)))
(define (layers-of image) (vector->list (car (gimp-image-get-layers image))))
(define (members-of group) (vector->list (car (gimp-item-get-children group))))
(define (colour-at layer x y) (car (gimp-drawable-get-pixel layer x y)))
(define (channels-of image) (vector-length (car (gimp-image-get-channels image))))
(define (has-settings? layer) (not (null? (car (gimp-item-get-parasite-list layer)))))

(define (size-of image)
  (list (car (gimp-image-get-width image)) (car (gimp-image-get-height image))))
(define (layer-size layer)
  (list (car (gimp-drawable-get-width layer)) (car (gimp-drawable-get-height layer))))

(load (test-file "gimp/example-checks.scm"))
