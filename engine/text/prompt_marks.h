/* prompt_marks.h: what a text has that looks like more than words and would be drawn as its
 * characters: a [V] that no subject took, and what other programs read as a weight or a LoRA. */
#pragma once

/* The first [V] or [Vk], "(fox:1.5)", and "<lora:fox:0.8>" in text, owned by the caller; NULL when
 * there is none. */
char *prompt_mark_placeholder(const char *text);
char *prompt_mark_weight(const char *text);
char *prompt_mark_lora(const char *text);
