; An installed plug-in, in either GIMP: its procedures are there and paint with the model that ships;
; the sentence of an error is kept, to see its language.

(define (create prompt)
  (lambda () (plug-in-svdiff-create RUN-NONINTERACTIVE prompt "" "" "" 0 0 2 0 "auto" 1 1)))

(define (run-all)
  (let ((message (error-of (create "a lion"))))
    (if message (remark message))
    (check "it paints a new image" (not message)))
  (let ((out (open-output-file (string-append files-folder "/message"))))
    (display (error-of (create "")) out)
    (close-output-port out))
  (close-output-port results))
