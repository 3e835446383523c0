"""Attention of the UNet in training: words that several noise levels share are multiplied once.

A step uses each caption for several levels, so that of a batch of levels * n pictures only n captions are
different.  Keys and values are made of n captions, and the queries of a caption's pictures are laid one
after the other: softmax(q k^T / sqrt(d)) v over levels * t queries of n captions.
"""
from torch.nn.functional import scaled_dot_product_attention


class SharedWords:
    """A processor for diffusers' Attention; encoder_hidden_states n,77,width, hidden_states levels * n,t,c."""

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        batch, tokens, _ = hidden_states.shape
        words = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        count = words.shape[0]
        levels, heads = batch // count, attn.heads
        query = attn.to_q(hidden_states).view(levels, count, tokens, heads, -1)
        query = query.permute(1, 3, 0, 2, 4).reshape(count, heads, levels * tokens, -1)
        key, value = (part(words).view(count, words.shape[1], heads, -1).transpose(1, 2)
                      for part in (attn.to_k, attn.to_v))
        found = scaled_dot_product_attention(query, key, value)
        found = found.view(count, heads, levels, tokens, -1).permute(2, 0, 3, 1, 4)
        return attn.to_out[0](found.reshape(batch, tokens, -1))
