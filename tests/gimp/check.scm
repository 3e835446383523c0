; What the tests in GIMP 2.10 share. Each check writes one line of TAP to the file of results.

(define results (open-output-file (string-append files-folder "/results")))
(define checks 0)

(define (write-line text)
  (display text results)
  (newline results))

(define (check name condition)
  (set! checks (+ checks 1))
  (write-line (string-append (if condition "ok " "not ok ") (number->string checks) " - " name)))

(define (remark thing)
  (display "# " results)
  (write thing results)
  (newline results))

; the message of the error at which the call ends, or #f when it succeeds
(define (error-of call)
  (let ((hook *error-hook*))
    (let ((message
           (call/cc
            (lambda (leave)
              (set! *error-hook* (lambda words (leave words)))
              (call)
              #f))))
      (set! *error-hook* hook)
      (if (pair? message) (car message) message))))

(define (contains? text part)
  (let ((n (string-length text)) (k (string-length part)))
    (let loop ((i 0))
      (cond ((> (+ i k) n) #f)
            ((string=? (substring text i (+ i k)) part) #t)
            (else (loop (+ i 1)))))))

; the call fails with a sentence that has these words in it, and the image stays as it was
(define (check-fails name image words call)
  (let* ((before (image-state image))
         (message (error-of call)))
    (if (not (and (string? message) (contains? message words))) (remark message))
    (check (string-append name ": a sentence") (and (string? message) (contains? message words)))
    (check (string-append name ": the image is as it was") (equal? before (image-state image)))))

; layers, and the colour of some pixels of the lowest one
(define (image-state image)
  (let* ((layers (vector->list (cadr (gimp-image-get-layers image))))
         (lowest (car (reverse layers))))
    (list layers (car (gimp-image-is-dirty image)) (pixels lowest))))

(define (pixel layer x y)
  (vector->list (cadr (gimp-drawable-get-pixel layer x y))))

(define (pixels layer)
  (let ((w (car (gimp-drawable-width layer))) (h (car (gimp-drawable-height layer))))
    (map (lambda (at) (pixel layer (quotient (* w (car at)) 8) (quotient (* h (cadr at)) 8)))
         '((0 0) (7 0) (0 7) (7 7) (3 3) (4 4) (2 5) (5 2)))))

; what the image shows, as a layer that is no part of it
(define (look image)
  (car (gimp-layer-new-from-visible image image "look")))

; how many pixels of the selection show by more than `step` of 1 something else than at `before`, a
; look at the image
(define (count-changed image before step)
  (let ((after (look image)))
    (gimp-image-insert-layer image before 0 0)
    (gimp-image-insert-layer image after 0 0)
    (gimp-layer-set-mode after LAYER-MODE-DIFFERENCE)
    (let* ((difference (look image))
           (counts (begin (gimp-image-insert-layer image difference 0 0)
                          (gimp-drawable-histogram difference HISTOGRAM-VALUE step 1))))
      (if (> (list-ref counts 4) 0) (remark counts))
      (list-ref counts 4))))

; outside of the selection the image shows what it showed at `before`, a look at it
(define (check-outside image before)
  (gimp-selection-invert image)
  (check "0 pixels outside the selection are changed" (= 0 (count-changed image before 0.004))))

(define (layer-list image)
  (vector->list (cadr (gimp-image-get-layers image))))

(define (children group)
  (vector->list (cadr (gimp-item-get-children group))))

(define (test-file name)
  (string-append tests-folder "/" name))

(define (run-all)
  (run-tests)
  (write-line (string-append "1.." (number->string checks)))
  (close-output-port results))
