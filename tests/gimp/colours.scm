; Images with a colour profile: what the worker gets is in sRGB, what it gives back gets the numbers
; that the image's own colours want. LittleCMS has said what is right: see profiles. A recorder
; stands in the worker's place; compare_pictures.c holds each KIND-WHAT against KIND-reference.

(load (string-append tests-folder "/fixtures/profiles/colours.scm"))

(define (profile-file name)
  (string-append "file://" tests-folder "/fixtures/profiles/" name ".icc"))

(define (set-profile image name)
  (if (string? name) (gimp-image-set-color-profile-from-file image (profile-file name))))

; an image with a column of 8 pixels for each colour
(define (make-columns colours kind precision)
  (let* ((width (* 8 (length colours)))
         (image (car (gimp-image-new-with-precision width 16 kind precision)))
         (layer (car (gimp-layer-new image width 16 (if (= kind GRAY) GRAYA-IMAGE RGBA-IMAGE) "columns"
                                     100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 0)
    (let fill ((x 0) (rest colours))
      (if (pair? rest)
          (begin (gimp-context-set-foreground (car rest))
                 (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0 8 16)
                 (gimp-drawable-edit-fill layer FILL-FOREGROUND)
                 (fill (+ x 8) (cdr rest)))))
    (gimp-selection-none image)
    image))

(define (layer-of image)
  (car (reverse (layer-list image))))

(define (record name image)
  (plug-in-svdiff-learn RUN-NONINTERACTIVE image (layer-of image) "" "a photo of [V]" "" -1 -1 "" 0 0 0 1
    (string-append files-folder "/" name ".safetensors"))
  (gimp-image-delete image))

(define (into-precision image which)
  (if (not (= which (car (gimp-image-get-precision image)))) (gimp-image-convert-precision image which)))

(define (linear? precision)
  (member precision (list PRECISION-U16-LINEAR PRECISION-U32-LINEAR PRECISION-FLOAT-LINEAR)))

; with this profile; linear numbers come of others, with the profile's own curve
(define (make-image profile kind colours precision)
  (let ((image (make-columns colours kind (if (linear? precision) PRECISION-FLOAT-GAMMA precision))))
    (set-profile image profile)
    (into-precision image precision)
    image))

(define precisions
  (list (list "8-bit" PRECISION-U8-GAMMA)
        (list "16-bit" PRECISION-U16-GAMMA)
        (list "16-bit linear" PRECISION-U16-LINEAR)
        (list "32-bit" PRECISION-U32-GAMMA)
        (list "32-bit linear" PRECISION-U32-LINEAR)
        (list "32-bit float" PRECISION-FLOAT-GAMMA)
        (list "32-bit float linear" PRECISION-FLOAT-LINEAR)))

; of a profile of tables GIMP knows no curves, and takes sRGB's for linear numbers
(define (test-reading profile kind pairs)
  (let ((given (map car pairs)) (name (lambda (what) (string-append profile "-" what))))
    (record (name "reference") (make-image #f RGB (map cadr pairs) PRECISION-U8-GAMMA))
    (for-each
     (lambda (p)
       (if (not (and (equal? profile "tables") (linear? (cadr p))))
           (record (name (car p)) (make-image profile kind given (cadr p)))))
     precisions)
    (if (= kind RGB)
        (let ((image (make-image profile kind given PRECISION-U8-GAMMA)))
          (gimp-image-convert-indexed image CONVERT-DITHER-NONE CONVERT-PALETTE-GENERATE 16 FALSE FALSE "")
          (record (name "indexed") image)))))

; ---- what comes back ----

(define (paint image prompt init)
  (vector-ref (cadr (plug-in-svdiff-generate RUN-NONINTERACTIVE image (layer-of image) prompt "" "" ""
                      init 0 "" 0 0 0 0 "" 5 1)) 0))

; the numbers of a layer in 8 bits, whatever colours they stand for. GIMP 2.10 has given the profile
; of a linear image another curve.
(define (numbers image layer n profile)
  (if (linear? (car (gimp-image-get-precision image)))
      (begin (into-precision image PRECISION-FLOAT-GAMMA)
             (gimp-image-convert-color-profile-from-file image (profile-file profile) 1 TRUE)))
  (set-profile image "srgb")
  (into-precision image PRECISION-U8-GAMMA)
  (let loop ((i 0))
    (if (= i n)
        '()
        (cons (pixel layer (quotient (* (+ i i 1) (car (gimp-drawable-width layer))) (* 2 n)) 7)
              (loop (+ i 1))))))

(define (near? a b)
  (or (null? b) (and (<= (abs (- (car a) (car b))) 1) (near? (cdr a) (cdr b)))))

(define (all-near? a b)
  (or (null? b) (and (near? (car a) (car b)) (all-near? (cdr a) (cdr b)))))

(define (check-numbers name found expected)
  (let ((good (all-near? found expected)))
    (if (not good) (remark (list 'found found 'expected expected)))
    (check name good)))

; a picture of known sRGB colours painted into an image with a profile
(define (test-writing profile kind pairs what precision)
  (let* ((image (make-image profile kind (map car pairs) precision))
         (layer (paint image (test-file "fixtures/profiles/colours.tif") "none")))
    (check-numbers (string-append "painted into an image with the profile " profile ", " what)
                   (numbers image layer (length pairs) profile) (map cadr pairs))
    (gimp-image-delete image)))

; what is read and written again is what it was
(define (test-there-and-back what precision)
  (let* ((colours '((128 130 127) (200 100 50) (60 61 59) (255 255 255) (0 0 0)))
         (image (make-image "wide" RGB colours precision)) (layer (paint image "again" "layer")))
    (check-numbers (string-append "there and back with the profile wide, " what)
                   (numbers image layer (length colours) "wide") colours)
    (gimp-image-delete image)))

; painting what was there already changes nothing, not at a soft edge either
(define (test-soft-selection what precision)
  (let* ((image (make-image "wide" RGB '((128 130 127) (200 100 50) (60 61 59) (150 120 140)) precision))
         (before (look image)))
    (gimp-context-set-feather TRUE)
    (gimp-context-set-feather-radius 4 4)
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 6 2 20 12)
    (gimp-context-set-feather FALSE)
    (paint image "again" "selection")
    (gimp-selection-none image)
    (check (string-append "nothing is shifted under a soft selection, " what)
           (= 0 (count-changed image before 0.006)))
    (gimp-image-delete image)))

(define (run-tests)
  (test-reading "wide" RGB wide-colours)
  (test-reading "grey" GRAY grey-colours)
  (test-reading "tables" RGB tables-colours)
  (for-each
   (lambda (p)
     (test-writing "wide" RGB wide-back (car p) (cadr p))
     (test-there-and-back (car p) (cadr p))
     (test-soft-selection (car p) (cadr p)))
   precisions)
  (test-writing "tables" RGB tables-back "8-bit" PRECISION-U8-GAMMA)
  (test-writing "tables" RGB tables-back "32-bit float" PRECISION-FLOAT-GAMMA))
