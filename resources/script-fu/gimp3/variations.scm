; Learns the subject of a picture file and paints it ten times, for GIMP 3.
;
; Put this file into the folder `scripts` of your GIMP profile: it appears as
; File > Create > SVDiff > Variations of a Picture. In batch mode:
;
;   gimp-console-3.0 -i -d --batch-interpreter plug-in-script-fu-eval \
;        -b '(begin (load "variations.scm")
;                   (let ((image (svdiff-variations "fox.png" "fox" "a photo of a [V] animal"
;                                   "a photo of a [V] animal on the beach" 10 1 "" 0)))
;                     (gimp-file-save RUN-NONINTERACTIVE image "ten.xcf")))' --quit

; picture, name, learn-prompt: what is learned, and how it is called; prompt: what is painted; count:
; how often; seed: what random numbers begin with; model: "" is the one that ships; steps: of
; learning, 0 is the model's own number. Gives the image, with the variations in a group of layers.
(define (svdiff-variations picture name learn-prompt prompt count seed model steps)
  (script-fu-use-v3) ; single results come as they are, no (car ...)
  (let* ((image (gimp-file-load RUN-NONINTERACTIVE picture))
         (layers (gimp-image-get-selected-layers image)))
    (plug-in-svdiff-learn #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers
      #:name name #:prompt learn-prompt #:model model #:steps steps #:seed seed)
    (plug-in-svdiff-generate #:run-mode RUN-NONINTERACTIVE #:image image #:drawables layers
      #:prompt prompt #:subjects name #:model model #:seed seed #:count count)
    image))

(define (script-fu-svdiff-variations picture name learn-prompt prompt count seed)
  (gimp-display-new (svdiff-variations picture name learn-prompt prompt count seed "" 0))
  (gimp-displays-flush))

(script-fu-register "script-fu-svdiff-variations"
  "_Variations of a Picture..."
  "Learns the subject of a picture file and paints it several times, as layers of one image."
  "The SVDiff for GIMP authors" "GPL-3.0-or-later" "2026" ""
  SF-FILENAME "Picture" ""
  SF-STRING "Name of the subject" "fox"
  SF-STRING "What the picture shows" "a photo of a [V] animal"
  SF-STRING "What to paint" "a photo of a [V] animal on the beach"
  SF-ADJUSTMENT "How many" '(10 1 100 1 10 0 1)
  SF-ADJUSTMENT "Seed" '(1 0 2147483647 1 10 0 1))
(script-fu-menu-register "script-fu-svdiff-variations" "<Image>/File/Create/SVDiff")
