; Learns the subject of a picture file and paints it ten times, for GIMP 2.10.
;
; Put this file into the folder `scripts` of your GIMP profile: it appears as
; File > Create > SVDiff > Variations of a Picture. In batch mode:
;
;   gimp -i -d -b '(begin (load "variations.scm")
;                         (let ((image (svdiff-variations "fox.png" "fox" "a photo of a [V] animal"
;                                         "a photo of a [V] animal on the beach" 10 1 "" 0)))
;                           (gimp-xcf-save RUN-NONINTERACTIVE image -1 "ten.xcf" "ten.xcf")))' \
;        -b '(gimp-quit 0)'

; picture, name, learn-prompt: what is learned, and how it is called; prompt: what is painted; count:
; how often; seed: what random numbers begin with; model: "" is the one that ships; steps: of
; learning, 0 is the model's own number. Gives the image, with the variations in a group of layers.
(define (svdiff-variations picture name learn-prompt prompt count seed model steps)
  (let* ((image (car (gimp-file-load RUN-NONINTERACTIVE picture picture)))
         (layer (car (gimp-image-get-active-layer image))))
    ; name, prompt, class-prompt, mask-channel, region-channel, model, steps, learning-rate, size,
    ; seed, output: 0, -1 and "" stand for the defaults
    (plug-in-svdiff-learn RUN-NONINTERACTIVE image layer
      name learn-prompt "" -1 -1 model steps 0 0 seed "")
    ; prompt, negative, subjects, model, init, strength, regions, width, height, steps, guidance,
    ; sampler, seed, count
    (plug-in-svdiff-generate RUN-NONINTERACTIVE image layer
      prompt "" name model "none" 0 "" 0 0 0 0 "" seed count)
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
