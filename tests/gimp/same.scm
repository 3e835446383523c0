; The same seed gives the same picture as the command: same.before has run it.

(define (command-layer image number)
  (let* ((file (string-append files-folder "/command-" (number->string number) ".png"))
         (picture (car (gimp-file-load RUN-NONINTERACTIVE file file)))
         (layer (car (gimp-layer-new-from-drawable (car (layer-list picture)) image))))
    (gimp-image-delete picture)
    layer))

; how many pixels of two layers differ by more than one step of 8 bits
(define (count-different image lower upper)
  (gimp-image-insert-layer image lower 0 0)
  (gimp-image-insert-layer image upper 0 0)
  (gimp-layer-set-mode upper LAYER-MODE-DIFFERENCE)
  (let ((both (car (gimp-layer-new-from-visible image image "difference"))))
    (gimp-image-insert-layer image both 0 0)
    (list-ref (gimp-drawable-histogram both HISTOGRAM-VALUE 0.006 1) 4)))

(define (compare made number)
  (let* ((image (car (gimp-item-get-image made)))
         (mine (car (gimp-layer-new-from-drawable made image)))
         (command (command-layer image number)))
    (check "the command's picture has the same size"
           (and (= (car (gimp-drawable-width made)) (car (gimp-drawable-width command)))
                (= (car (gimp-drawable-height made)) (car (gimp-drawable-height command)))))
    (let ((different (count-different image mine command)))
      (if (> different 0) (remark different))
      (check "and the same pixels within 1/255" (= 0 different)))))

(define (run-tests)
  (let ((made (vector->list (cadr (plug-in-svdiff-generate RUN-NONINTERACTIVE -1 -1
                 "a fox in the snow" "" "" (test-file "fixtures/models/sd1") "none" 0 "" 0 0 3 4 ""
                 11 2)))))
    (compare (car made) 0)
    (compare (cadr made) 1)
    (check "the pictures differ from each other" (not (equal? (pixels (car made)) (pixels (cadr made)))))))
