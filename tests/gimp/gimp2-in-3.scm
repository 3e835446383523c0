; The words of GIMP 2.10's Script-Fu that the tests use, in GIMP 3: the same scripts then prove that
; the procedures do the same in both. Lists come as (count vector), as 2.10 gives them.

(define (counted call)
  (lambda words (let ((all (car (apply call words)))) (list (vector-length all) all))))

(define gimp-image-get-layers (counted gimp-image-get-layers))
(define gimp-item-get-children (counted gimp-item-get-children))
(define gimp-image-list (counted gimp-get-images))

(define (gimp-image-get-active-layer image)
  (list (vector-ref (car (gimp-image-get-selected-layers image)) 0)))

(define (gimp-image-set-active-layer image layer)
  (gimp-image-set-selected-layers image (vector layer)))

(define gimp-drawable-width gimp-drawable-get-width)
(define gimp-drawable-height gimp-drawable-get-height)
(define gimp-drawable-offsets gimp-drawable-get-offsets)

(define get-pixel-in-3 gimp-drawable-get-pixel)
(define (gimp-drawable-get-pixel drawable x y)
  (let ((colour (car (get-pixel-in-3 drawable x y))))
    (list (length colour) (list->vector colour))))

(define new-layer-in-3 gimp-layer-new)
(define (gimp-layer-new image width height type name opacity mode)
  (new-layer-in-3 image name width height type opacity mode))
(define copy-layer-in-3 gimp-layer-copy)
(define (gimp-layer-copy layer add-alpha) (copy-layer-in-3 layer))
(define (gimp-layer-group-new image) (gimp-group-layer-new image "group"))

(define copy-in-3 gimp-edit-copy)
(define (gimp-edit-copy layer) (copy-in-3 (vector layer)))
(define paste-in-3 gimp-edit-paste)
(define (gimp-edit-paste layer into) (list (vector-ref (car (paste-in-3 layer into)) 0)))
(define (gimp-text-fontname image layer x y text border smooth size unit name)
  (gimp-text-font image layer x y text border smooth size (car (gimp-context-get-font))))

(define load-in-3 gimp-file-load)
(define (gimp-file-load mode file name) (load-in-3 mode file))

; files by path instead of by file://
(define set-profile-in-3 gimp-image-set-color-profile-from-file)
(define (gimp-image-set-color-profile-from-file image uri)
  (set-profile-in-3 image (substring uri 7 (string-length uri))))
(define convert-profile-in-3 gimp-image-convert-color-profile-from-file)
(define (gimp-image-convert-color-profile-from-file image uri . rest)
  (apply convert-profile-in-3 (append (list image (substring uri 7 (string-length uri))) rest)))

(define PRECISION-U8-GAMMA PRECISION-U8-NON-LINEAR)
(define PRECISION-U16-GAMMA PRECISION-U16-NON-LINEAR)
(define PRECISION-U32-GAMMA PRECISION-U32-NON-LINEAR)
(define PRECISION-HALF-GAMMA PRECISION-HALF-NON-LINEAR)
(define PRECISION-FLOAT-GAMMA PRECISION-FLOAT-NON-LINEAR)

; GIMP 3 has selected layers instead of linked ones: linked are the current one and these
(define linked '())
(define (gimp-item-set-linked layer yes)
  (set! linked (if (= yes TRUE) (cons layer linked)
                   (let without ((rest linked))
                     (cond ((null? rest) '())
                           ((= (car rest) layer) (without (cdr rest)))
                           (else (cons (car rest) (without (cdr rest)))))))))

(define (layers-from layer)
  (list->vector
    (cond ((= layer -1) '())
          ((member layer linked)
           (let with ((rest (cons layer linked)) (known '()))
             (cond ((null? rest) (reverse known))
                   ((member (car rest) known) (with (cdr rest) known))
                   (else (with (cdr rest) (cons (car rest) known))))))
          (else (list layer)))))

(define learn-in-3 plug-in-svdiff-learn)
(define (plug-in-svdiff-learn mode image layer . rest)
  (if (= layer -1)
      (learn-in-3 #:run-mode mode #:image image #:output (list-ref rest 10))
      (apply learn-in-3 (append (list mode image (layers-from layer)) rest))))

(define plug-in-svdiff-create (counted plug-in-svdiff-create))

(define edit-in-3 plug-in-svdiff-edit)
(define (plug-in-svdiff-edit mode image layer . rest)
  (apply (counted edit-in-3) (append (list mode image (layers-from layer)) rest)))

(define compose-in-3 plug-in-svdiff-compose)
(define (plug-in-svdiff-compose mode image n layers . rest)
  (apply (counted compose-in-3) (append (list mode image layers) rest)))

; only words with names can leave image and layers out
(define generate-in-3 plug-in-svdiff-generate)
(define (plug-in-svdiff-generate mode image layer . rest)
  (let ((at (lambda (index) (list-ref rest index))))
    (cond
      ((= image -1)
        ((counted generate-in-3) #:run-mode mode #:prompt (at 0) #:model (at 3) #:steps (at 9)
                                 #:guidance (at 10) #:seed (at 12) #:count (at 13)))
      ((= layer -1)
        ((counted generate-in-3) #:run-mode mode #:image image #:prompt (at 0) #:model (at 3)
                                 #:init (at 4) #:steps (at 9) #:seed (at 12) #:count (at 13)))
      (else
        (apply (counted generate-in-3)
               (append (list mode image (layers-from layer)) rest))))))
(define gimp-image-base-type gimp-image-get-base-type)
