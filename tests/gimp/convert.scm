; plug-in-svdiff-convert from Script-Fu: a subject of the tiny model into every format.

(define model (test-file "fixtures/models/sd1"))
(define subject (test-file "fixtures/models/sd1-subject-elementwise.safetensors"))

(define (convert input to output rank)
  (car (plug-in-svdiff-convert RUN-NONINTERACTIVE input to output model rank)))

(define (in-files name)
  (string-append files-folder "/" name))

(define (check-converted to name inside)
  (let ((output (in-files name)))
    (check (string-append "to " to ": gives back what was written")
           (equal? (convert subject to output 0) output))
    (check (string-append "to " to ": it is there")
           (file-exists? (string-append output inside)))))

(define (check-refused name words call)
  (let ((message (error-of call)))
    (if (not (and (string? message) (contains? message words))) (remark message))
    (check (string-append name ": a sentence") (and (string? message) (contains? message words)))))

(define (run-tests)
  (check-converted "subject" "copy.safetensors" "")
  (check-converted "svdiff-pytorch" "pair" "/spectral_shifts.safetensors")
  (check-converted "folder" "model" "/unet/diffusion_pytorch_model.safetensors")
  (check-converted "checkpoint" "checkpoint.safetensors" "")
  (check-converted "lora" "lora.safetensors" "")
  (check "several subjects with strengths"
         (equal? (convert (string-append subject ":0.5; " subject ":0.25") "checkpoint"
                          (in-files "both.safetensors") 0)
                 (in-files "both.safetensors")))
  (check "without an output: the data folder, by name and format"
         (contains? (convert subject "lora" "" 4)
                    "svdiff/converted/sd1-subject-elementwise-lora.safetensors"))
  (check-refused "nothing to convert" "input is empty" (lambda () (convert "" "lora" "" 0)))
  (check-refused "unknown format" "to is" (lambda () (convert subject "onnx" "" 0)))
  (check-refused "rank out of range" "9000" (lambda () (convert subject "lora" "" 9000)))
  (check-refused "missing subject" "no-such" (lambda () (convert "/no-such.safetensors" "lora" "" 0)))
  (check-refused "output in no folder" "no-such"
                 (lambda () (convert subject "lora" "/no-such/lora.safetensors" 0))))
