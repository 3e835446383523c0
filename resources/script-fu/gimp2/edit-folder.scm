; Draws all pictures of a folder from another description, for GIMP 2.10 in batch mode:
;
;   gimp -i -d -b '(begin (load "edit-folder.scm")
;                         (svdiff-edit-folder "houses" "a photo of a house"
;                            "a photo of a house in the snow" "winter" 1 "" 0))' -b '(gimp-quit 0)'
;
; folder: its .png and .jpg files are read; prompt: what they show; target: what they should show;
; output: the folder, which must be there, for the new ones, as .png; seed: what random numbers begin
; with; model: "" is the one that ships; learn-steps: 0 is the model's own number. Gives the files.

(define (svdiff-edit-folder folder prompt target output seed model learn-steps)
  (map
   (lambda (file)
     (svdiff-edit-file file prompt target (svdiff-file-in output file) seed model learn-steps))
   (append (cadr (file-glob (string-append folder "/*.png") 1))
           (cadr (file-glob (string-append folder "/*.jpg") 1)))))

; "houses/a.jpg" in "winter" is "winter/a.png"
(define (svdiff-file-in folder file)
  (let* ((name (car (reverse (strbreakup file "/"))))
         (stem (substring name 0 (- (string-length name) 4))))
    (string-append folder "/" stem ".png")))

(define (svdiff-edit-file file prompt target output seed model learn-steps)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE file file)))
         (layer (car (gimp-image-get-active-layer image))))
    ; prompt, target, model, structure, learn-steps, steps, guidance, seed, count
    (plug-in-svdiff-edit RUN-NONINTERACTIVE image layer
      prompt target model 0 learn-steps 0 0 seed 1)
    (file-png-save-defaults RUN-NONINTERACTIVE image (car (gimp-image-flatten image)) output output)
    (gimp-image-delete image)
    output))
