; plug-in-svdiff-learn and plug-in-svdiff-generate from Script-Fu, with a tiny model of the tests.

(define model (test-file "fixtures/models/sd1"))
(define subject (string-append files-folder "/subject.safetensors"))

; an image with a striped layer of this size at this place
(define (make-image kind width height x y)
  (let* ((image (car (gimp-image-new 96 80 kind)))
         (layer (car (gimp-layer-new image width height (if (= kind GRAY) GRAY-IMAGE RGBA-IMAGE)
                                     "source" 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-layer-set-offsets layer x y)
    (gimp-context-set-foreground '(250 200 30))
    (gimp-drawable-fill layer FILL-FOREGROUND)
    (gimp-context-set-foreground '(20 60 160))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 20 10 30 40)
    (gimp-drawable-edit-fill layer FILL-FOREGROUND)
    (gimp-selection-none image)
    (gimp-image-clean-all image)
    image))

(define (source image)
  (if (= image -1) -1 (car (reverse (layer-list image)))))

(define (learn image . changes)
  (let ((get (lambda (key standard) (let ((c (assq key changes))) (if c (cadr c) standard)))))
    (car (plug-in-svdiff-learn RUN-NONINTERACTIVE image (get 'layer (source image))
          (get 'name "") (get 'prompt "a photo of [V]") "" (get 'mask -1) (get 'region -1)
          (get 'model model) (get 'steps 2) (get 'rate 0) (get 'size 64) (get 'seed 7)
          (get 'output subject)))))

(define (generate image . changes)
  (let ((get (lambda (key standard) (let ((c (assq key changes))) (if c (cadr c) standard)))))
    (plug-in-svdiff-generate RUN-NONINTERACTIVE image (get 'layer (source image))
      (get 'prompt "a photo of [V]") "" (get 'subjects "") (get 'model model) (get 'init "none")
      (get 'strength 0) (get 'regions "") (get 'width 0) (get 'height 0) (get 'steps 2)
      (get 'guidance 0) (get 'sampler "") (get 'seed 5) (get 'count 1))))

(define (layer-box layer)
  (append (gimp-drawable-offsets layer)
          (list (car (gimp-drawable-width layer)) (car (gimp-drawable-height layer)))))

(define (test-learn)
  (let ((image (make-image RGB 64 64 0 0)))
    (check "learn gives back the file" (equal? (learn image) subject))
    (check "the subject file is there" (file-exists? subject))
    (check "learning leaves the image clean" (= (car (gimp-image-is-dirty image)) FALSE))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 20 10 30 40)
    (check "learn from a selection" (equal? (learn image) subject))
    (gimp-selection-none image)
    (learn image '(name "by-name") '(output ""))
    (check "a subject by name" (= 1 (car (generate image '(subjects "by-name:0.5")))))
    (check "an adapter beside it, by file"
           (= 1 (car (generate image (list 'subjects
               (string-append "by-name; lora " (test-file "fixtures/adapters/diffusers-old.safetensors") ":0.5"))))))
    (for-each (lambda (name)
                (learn image (list 'name name) '(output ""))
                (check (string-append "a subject called " name)
                       (= 1 (car (generate image (list 'subjects (string-append "by-name; " name)))))))
              '("portrait 16:9" "a;b" "fox.safetensors" "by-name:2"))
    (gimp-image-delete image)))

(define (test-several)
  (let* ((image (make-image RGB 48 40 -6 9))
         (before (pixels (source image)))
         (made (generate image (list 'subjects subject) '(count 2) '(init "layer") '(strength 0.5)))
         (layers (vector->list (cadr made))))
    (check "two layers" (and (= (car made) 2) (= (length layers) 2)))
    (check "in a group above the source" (and (= (length (layer-list image)) 2)
           (equal? (children (car (layer-list image))) layers)))
    (check "names tell prompt and seed"
           (equal? (map (lambda (l) (car (gimp-item-get-name l))) layers)
                   '("a photo of [V] (seed 5)" "a photo of [V] (seed 6)")))
    (check "they lie where the layer lies"
           (equal? (map layer-box layers) '((-6 9 48 40) (-6 9 48 40))))
    (check "they carry their settings"
           (contains? (caddr (car (gimp-item-get-parasite (cadr layers) "svdiff-settings")))
                      "\"seed\":6"))
    (check "seeds give different pictures" (not (equal? (pixels (car layers)) (pixels (cadr layers)))))
    (check "the source is unchanged" (equal? before (pixels (source image))))
    (gimp-image-delete image)))

(define (test-seed)
  (let* ((image (make-image RGB 48 40 0 0))
         (first (vector-ref (cadr (generate image)) 0))
         (second (vector-ref (cadr (generate image)) 0)))
    (check "the same seed gives the same picture" (equal? (pixels first) (pixels second)))
    (check "single layers go above the layer" (= (length (layer-list image)) 3))
    (gimp-image-delete image)))

(define (test-selection init box)
  (let* ((image (make-image RGB 96 80 0 0)) (before (look image))
         (layer (begin (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 16 8 40 24)
                       (vector-ref (cadr (generate image (list 'init init))) 0))))
    (check (string-append "from " init ", something selected: where it lies") (equal? (layer-box layer) box))
    (check "it is opaque to its corners"
           (and (= 255 (cadddr (pixel layer 0 0))) (= 255 (cadddr (pixel layer 39 23)))))
    (check "the selection is its mask" (> (car (gimp-layer-get-mask layer)) 0))
    (check "who paints on paints into the layer" (= FALSE (car (gimp-layer-get-edit-mask layer))))
    (check "something is painted" (not (equal? (pixel before 30 20) (pixel (look image) 30 20))))
    (check-outside image before)
    (gimp-image-delete image)))

; a layer in a group, partly selected, beside the image's edge
(define (test-places)
  (let* ((image (make-image RGB 60 50 -20 10))
         (layer (source image))
         (group (car (gimp-layer-group-new image))))
    (gimp-image-insert-layer image group 0 0)
    (gimp-image-reorder-item image layer group 0)
    (gimp-image-select-ellipse image CHANNEL-OP-REPLACE 10 20 60 50)
    (let ((made (vector-ref (cadr (generate image (list 'layer layer) '(init "selection"))) 0)))
      (check "above its layer in the same group" (equal? (children group) (list made layer)))
      (check "where layer and selection meet" (equal? (layer-box made) '(10 20 30 40)))
      (check "the mask is the selection's" (and (> (car (gimp-layer-get-mask made)) 0)
             (< (car (pixel (car (gimp-layer-get-mask made)) 0 0)) 255)
             (= (car (pixel (car (gimp-layer-get-mask made)) 29 20)) 255)))
      (check "value by value what GIMP makes of it"
             (equal? (pixels (car (gimp-layer-get-mask made)))
                     (pixels (car (gimp-layer-create-mask made ADD-MASK-SELECTION))))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 70 20 20 20)
    (check "nothing of the layer is selected: a sentence"
           (contains? (error-of (lambda () (generate image (list 'layer layer) '(init "selection"))))
                      "beside the layer"))
    (check "learn from a group" (begin (gimp-selection-none image)
           (equal? (learn image (list 'layer group)) subject)))
    (gimp-image-delete image)))

(define (test-last-values)
  (let ((file (open-output-file (string-append gimp-directory "/svdiff.rc")))
        (image (make-image RGB 48 40 0 0)))
    (display (string-append "[plug-in-svdiff-generate]\nprompt=kept\nseed=77\nsteps=2\ncount=2\nmodel="
                            model "\n") file)
    (close-output-port file)
    (let ((made (plug-in-svdiff-generate RUN-WITH-LAST-VALS image (source image)
                 "" "" "" "" "" 0 "" 0 0 0 0 "" 0 0)))
      (check "the last values are used without a dialog"
             (and (= (car made) 2) (string=? "kept (seed 78)"
                    (car (gimp-item-get-name (vector-ref (cadr made) 1)))))))
    (gimp-image-delete image)))

(define (test-kinds)
  (for-each
   (lambda (kind)
     (let ((image (make-image RGB 48 40 3 4)))
       (cond ((equal? kind "grey") (gimp-image-convert-grayscale image))
             ((equal? kind "indexed") (gimp-image-convert-indexed image CONVERT-DITHER-NONE
                                        CONVERT-PALETTE-GENERATE 16 FALSE FALSE ""))
             ((equal? kind "16-bit") (gimp-image-convert-precision image PRECISION-U16-GAMMA))
             ((equal? kind "32-bit linear")
              (gimp-image-convert-precision image PRECISION-FLOAT-LINEAR)))
       (let ((layer (vector-ref (cadr (generate image '(init "layer"))) 0)))
         (check (string-append "a layer in a " kind " image")
                (equal? (layer-box layer) '(3 4 48 40))))
       (gimp-image-delete image)))
   '("grey" "indexed" "16-bit" "32-bit linear")))

(define (test-no-image)
  (let* ((images (car (gimp-image-list)))
         (made (generate -1 '(layer -1))))
    (check "without an image a new one is made"
           (and (= (car made) 1) (= (car (gimp-image-list)) (+ images 1))))))

; two channels with a text each, and the same places by other names
(define (test-regions)
  (let ((image (make-image RGB 96 80 0 0)))
    (add-channel image "a left; half=" 0)
    (add-channel image "right" 48)
    (add-layer image "piece" 0)
    (let* ((draw (lambda (regions)
             (pixels (vector-ref (cadr (generate image (list 'layer (source image)) (list 'regions regions))) 0))))
           (plain (draw "")) (halves (draw "a left; half==a cat; right=a dog")))
      (check "texts in regions are drawn" (not (equal? plain halves)))
      (check "halves need no channel" (equal? halves (draw "left half=a cat\n right half = a dog")))
      (check "and the sides differ" (not (equal? halves (draw "left half=a dog; right half=a cat"))))
      (check "a layer is a place" (equal? halves (draw "layer piece=a cat; right=a dog")))
      (check "as far as its mask is white" (begin (mask-layer image "piece")
             (not (equal? halves (draw "layer piece=a cat; right=a dog")))))
      (check "a channel comes first" (begin (add-channel image "left half" 48)
             (equal? (draw "left half=a cat") (draw "right=a cat")))))
    (gimp-image-clean-all image)
    (check-fails "a region of no channel" image "which is no channel"
                 (lambda () (generate image '(regions "middle=a cat"))))
    (check-fails "a region of no layer" image "“layer middle”"
                 (lambda () (generate image '(regions "layer middle=a cat"))))
    (check-fails "a region without a text" image "write a place"
                 (lambda () (generate image '(regions "left half"))))
    (check-fails "a region of nothing" image "is empty"
                 (lambda () (generate image '(regions "selection=a cat"))))
    (gimp-image-delete image)))

(define (add-channel image name x)
  (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0 48 80)
  (gimp-item-set-name (car (gimp-selection-save image)) name)
  (gimp-selection-none image))

; on top, opaque on half of its area
(define (add-layer image name x)
  (let ((layer (car (gimp-layer-new image 96 80 RGBA-IMAGE name 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image layer 0 0)
    (gimp-drawable-fill layer FILL-TRANSPARENT)
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE x 0 48 80)
    (gimp-drawable-edit-fill layer FILL-FOREGROUND)
    (gimp-selection-none image)))

(define (mask-layer image name)
  (let ((layer (car (gimp-image-get-layer-by-name image name))))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 0 0 24 80)
    (gimp-layer-add-mask layer (car (gimp-layer-create-mask layer ADD-MASK-SELECTION)))
    (gimp-selection-none image)))

; halves are those of what is painted, here of what is selected
(define (test-selected-regions)
  (let ((image (make-image RGB 96 80 0 0)))
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 24 0 72 80)
    (gimp-item-set-name (car (gimp-selection-save image)) "right")
    (gimp-image-select-rectangle image CHANNEL-OP-REPLACE 0 0 48 40)
    (let ((draw (lambda (init regions)
            (pixels (vector-ref (cadr (generate image (list 'layer (source image)) (list 'init init)
                                                      (list 'regions regions))) 0)))))
      (check "half of what is selected" (equal? (draw "none" "right half=a cat") (draw "none" "right=a cat")))
      (check "and of what is painted into" (equal? (draw "selection" "right half=a cat")
                                                   (draw "selection" "right=a cat")))
      (check "the selection is a place" (not (equal? (draw "layer" "selection=a cat")
                                                     (draw "layer" "right half=a cat")))))
    (gimp-image-delete image)))

(define (create prompt . changes)
  (let ((get (lambda (key standard) (let ((c (assq key changes))) (if c (cadr c) standard)))))
    (plug-in-svdiff-create RUN-NONINTERACTIVE prompt "" (get 'subjects "") (get 'model model)
      (get 'width 0) (get 'height 0) (get 'steps 2) 0 "" 5 (get 'count 1))))

(define (test-create)
  (let* ((images (car (gimp-image-list)))
         (made (create "a photo of [V]" (list 'subjects subject) '(width 64) '(height 48) '(count 2)))
         (layers (vector->list (cadr made))))
    (check "a new image of a text" (= (car (gimp-image-list)) (+ images 1)))
    (check "has a layer for each picture, of the size asked for"
           (equal? (map layer-box layers) '((0 0 64 48) (0 0 64 48))))
    (check "in a group" (= 1 (length (layer-list (car (gimp-item-get-image (car layers)))))))))

(define (test-bad-input)
  (let* ((image (make-image RGB 48 40 0 0)) (other (make-image RGB 48 40 0 0))
         (foreign (car (gimp-selection-save other))) (tiny (make-image RGB 1 1 0 0))
         (empty (car (gimp-layer-new image 48 40 RGBA-IMAGE "empty" 100 LAYER-MODE-NORMAL))))
    (gimp-image-insert-layer image empty 0 0)
    (gimp-image-clean-all image)
    (gimp-image-clean-all other)
    (check-fails "unknown choice" image "init is" (lambda () (generate image '(init "nothing"))))
    (check-fails "unknown sampler" image "euler-a" (lambda () (generate image '(sampler "plms"))))
    (check-fails "number out of range" image "2000000" (lambda () (generate image '(steps 2000000))))
    (check-fails "size" image "divisible by 8" (lambda () (generate image '(width 100))))
    (check-fails "no prompt" image "prompt is empty" (lambda () (generate image '(prompt ""))))
    (check-fails "no selection" image "Nothing is selected"
                 (lambda () (generate image '(init "selection"))))
    (check-fails "missing model" image "no-such" (lambda () (generate image '(model "/no-such/model"))))
    (check-fails "missing subject" image "no-such"
                 (lambda () (generate image '(subjects "/no-such.safetensors"))))
    (check-fails "missing adapter" image "nobody" (lambda () (generate image '(subjects "lora nobody"))))
    (check-fails "subject of another model" image "use the model it was learned with"
                 (lambda () (generate image (list 'model (test-file "fixtures/models/sd2"))
                   (list 'subjects (test-file "fixtures/models/sd1-subject-elementwise.safetensors")))))
    (check-fails "a model that is a picture" image "rgb8.png"
                 (lambda () (generate image (list 'model (test-file "fixtures/pictures/rgb8.png")))))
    (check-fails "a model folder without a model" image "fixtures/pictures"
                 (lambda () (generate image (list 'model (test-file "fixtures/pictures")))))
    (check-fails "from an empty layer" image "is empty"
                 (lambda () (generate image '(init "layer") (list 'layer empty))))
    (check-fails "from a 1x1 layer" tiny "1x1" (lambda () (generate tiny '(init "layer"))))
    (check-fails "a channel in place of the layer" other "is not a layer"
                 (lambda () (generate other (list 'layer foreign))))
    (check-fails "a layer of another image" image "is not a layer"
                 (lambda () (generate image (list 'layer (source other)))))
    (check-fails "learning rate" image "3.75" (lambda () (learn image '(rate 3.75))))
    (check-fails "no name" image "name is" (lambda () (learn image '(output ""))))
    (for-each (lambda (name)
                (check-fails (string-append "a name that could not be given again: " name) image "name is"
                             (lambda () (learn image (list 'name name) '(output "")))))
              '("  " "fox " " fox" "a/b" ".fox" "a\tb"))
    (check-fails "channel of another image" image "mask-channel"
                 (lambda () (learn image (list 'mask foreign))))
    (check-fails "empty layer" image "is empty" (lambda () (learn image (list 'layer empty))))
    (check-fails "1x1 layer" tiny "1x1" (lambda () (learn tiny)))
    (check-fails "output in no folder" image "no-such"
                 (lambda () (learn image '(output "/no-such/subject.safetensors"))))
    (check-fails "output in a read-only folder" image "read-only"
                 (lambda () (learn image (list 'output (string-append files-folder "/read-only/subject.safetensors")))))
    (check-fails "create: number out of range" image "2000000"
                 (lambda () (create "a fox" '(steps 2000000))))
    (check-fails "create: no prompt" image "prompt is empty" (lambda () (create "")))
    (check-fails "create: size" image "divisible by 8" (lambda () (create "a fox" '(height 36))))
    (check-fails "create: missing model" image "no-such"
                 (lambda () (create "a fox" '(model "/no-such/model"))))
    (gimp-image-delete image)
    (gimp-image-delete other)
    (gimp-image-delete tiny)))

(define (run-tests)
  (test-learn)
  (test-several)
  (test-seed)
  (test-selection "none" '(16 8 40 24))
  (test-selection "selection" '(16 8 40 24))
  (test-selection "layer" '(0 0 96 80))
  (test-places)
  (test-last-values)
  (test-kinds)
  (test-no-image)
  (test-regions)
  (test-selected-regions)
  (test-create)
  (test-bad-input))
