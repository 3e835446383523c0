; Draws all pictures of a folder from another description, for GIMP 3 in batch mode:
;
;   gimp-console-3.0 -i -d --batch-interpreter plug-in-script-fu-eval \
;        -b '(begin (load "edit-folder.scm")
;                   (svdiff-edit-folder "houses" "a photo of a house"
;                      "a photo of a house in the snow" "winter" 1 "" 0))' --quit
;
; folder: its .png and .jpg files are read; prompt: what they show; target: what they should show;
; output: the folder, which must be there, for the new ones, as .png; seed: what random numbers begin
; with; model: "" is the one that ships; learn-steps: 0 is the model's own number. Gives the files.

(define (svdiff-edit-folder folder prompt target output seed model learn-steps)
  (script-fu-use-v3) ; single results come as they are, no (car ...)
  (map
   (lambda (file)
     (svdiff-edit-file file prompt target (svdiff-file-in output file) seed model learn-steps))
   (append (file-glob #:pattern (string-append folder "/*.png") #:filename-encoding TRUE)
           (file-glob #:pattern (string-append folder "/*.jpg") #:filename-encoding TRUE))))

; "houses/a.jpg" in "winter" is "winter/a.png"
(define (svdiff-file-in folder file)
  (let* ((name (car (reverse (strbreakup file "/"))))
         (stem (substring name 0 (- (string-length name) 4))))
    (string-append folder "/" stem ".png")))

(define (svdiff-edit-file file prompt target output seed model learn-steps)
  (let ((image (gimp-file-load RUN-NONINTERACTIVE file)))
    (plug-in-svdiff-edit #:run-mode RUN-NONINTERACTIVE #:image image
      #:drawables (gimp-image-get-selected-layers image) #:prompt prompt #:target target
      #:model model #:learn-steps learn-steps #:seed seed)
    (gimp-image-flatten image)
    (gimp-file-save RUN-NONINTERACTIVE image output)
    (gimp-image-delete image)
    output))
