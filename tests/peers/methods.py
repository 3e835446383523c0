"""What learns by each method of `svdiff learn`, as PyTorch has it; relearn.py runs it.

A method has `learned`, the tensors that learn by their names in a trace, `groups` of names and their learning rates,
`weights()`, parameters by name that take the place of the networks' own, and `plain()`, within which nothing learned acts.
    svdiff  every weight built from its shift (reference.py), rows of the word table beside it
    textual-inversion  vectors of a word that the table does not have, initial.NAME at first
    full    W and biases themselves
    custom-diffusion   diffusers' processors, and vectors as of textual-inversion
    lora    PEFT's own modules, put into the networks by add_adapter; what they begin with is the trace's initial.NAME
"""

import contextlib

import torch
from diffusers.models.attention_processor import CustomDiffusionAttnProcessor
from peft import LoraConfig
from transformers.integrations import peft as peft_of_transformers

import compvis
from reference import TEXT, Spectra, shift_names

peft_of_transformers.MIN_PEFT_VERSION = "0"  # transformers 5.24 asks for a later PEFT than 0.21.2, the last one that is out
NOTHING = {"unet": {}, "text": {}}


class Swapped:
    """What acts by the weights that it puts in the networks' place, unless it is told to be `plain`."""

    acting = True

    @contextlib.contextmanager
    def plain(self):
        self.acting = False
        yield
        self.acting = True


class Shifts(Swapped):
    """svdiff."""

    def __init__(self, model, rules, lengths, given):
        self.model = model
        self.dtype = next(model.unet.parameters()).dtype
        self.names = shift_names(model)
        self.rows = {n: n.partition(".row.") for n in lengths if ".row." in n}
        self.spectra = Spectra(model, {n for n in lengths if n not in self.rows})
        self.learned = {n: torch.zeros(k, dtype=self.dtype, requires_grad=True) for n, k in lengths.items()}
        self.top = rules.top
        kinds = {"norm": [], "matrix": [], "row": []}
        for name in self.learned:
            matrix = name not in self.rows and self.spectra.weight(name).ndim > 1
            kinds["row" if name in self.rows else "matrix" if matrix else "norm"].append(name)
        rates = {"matrix": rules.learning_rate, "norm": rules.learning_rate_1d, "row": rules.placeholder_rate}
        self.groups = [(names, rates[kind]) for kind, names in kinds.items() if names]

    def weights(self):
        if not self.acting:
            return NOTHING
        out = {"unet": {}, "text": {}}
        for name, shift in self.learned.items():
            if name not in self.rows:
                network, key = self.spectra.names[name]
                moves = torch.arange(len(shift)) < self.top if self.top and self.spectra.weight(name).ndim > 1 else 1
                out[network][key] = self.spectra.shifted(name, shift * moves)
        for name, (table, _, number) in self.rows.items():
            network, key = self.names[f"{table}.delta"]
            values = out[network].get(key, getattr(self.model, network).get_parameter(key))
            row = torch.nn.functional.one_hot(torch.tensor(int(number.removesuffix(".delta"))), len(values))
            out[network][key] = values + row.to(self.dtype)[:, None] * self.learned[name]
        return out


class LowRank:
    """lora."""

    def __init__(self, model, rules, lengths, given):
        self.networks, self.learned = [], {}
        for prefix, network in (("", model.unet), (TEXT, model.text)):
            dtype = next(network.parameters()).dtype
            paths = {prefix + compvis.plain_text_name(n): n for n, _ in network.named_modules()}
            modules = sorted(paths[m] for m in {n.partition(".lora_")[0] for n in lengths} if m in paths)
            if modules:
                network.add_adapter(LoraConfig(r=rules.rank, lora_alpha=rules.alpha or rules.rank, target_modules=modules))
                self.networks.append(network)
                for name, p in network.named_parameters():
                    if ".lora_" in name:
                        name = prefix + compvis.plain_text_name(name.replace(".default", ""))
                        p.data = given[f"initial.{name}"].to(dtype, copy=True).reshape(p.shape)
                        self.learned[name] = p
        if set(self.learned) != set(lengths):
            raise KeyError(f"learned by one and not the other: {set(self.learned) ^ set(lengths)}")
        self.groups = [(list(self.learned), rules.learning_rate)]

    def weights(self):
        return NOTHING

    @contextlib.contextmanager
    def plain(self):
        for network in self.networks:
            network.disable_adapters()
        yield
        for network in self.networks:
            network.enable_adapters()


class Vectors:
    """textual-inversion: rows behind the word table, which learn whole."""

    def __init__(self, model, rules, lengths, given):
        self.table = model.text.get_input_embeddings().weight
        self.key = next(n for n, p in model.text.named_parameters() if p is self.table)
        start = {n: given.get(f"initial.{n}", self.class_word(model, given)) for n in lengths}
        self.learned = {n: v.to(self.table.dtype, copy=True).requires_grad_() for n, v in start.items()}
        self.groups = [(list(self.learned), rules.learning_rate)]

    def class_word(self, model, given):
        """The table's vector of the class prompt's last token, where there is a prior."""
        tokens = given["prior_tokens.0"][0].long().tolist() if "prior_tokens.0" in given else []
        return self.table[tokens[tokens.index(model.tokenizer.eos_token_id) - 1]].detach() if tokens else None

    def weights(self):
        rows = [self.learned[n] for n in sorted(self.learned, key=lambda n: int(n.rpartition(".")[2]))]
        return {"unet": {}, "text": {self.key: torch.cat([self.table, torch.stack(rows)])}}

    @contextlib.contextmanager
    def plain(self):
        yield  # texts without the word do not see them


class Whole(Swapped):
    """full: the networks' own tensors."""

    def __init__(self, model, rules, lengths, given):
        self.model, self.names, self.learned = model, {}, {}
        for prefix, network in (("", "unet"), (TEXT, "text")):
            for key, p in getattr(model, network).named_parameters():
                name = prefix + compvis.plain_text_name(key)
                if name in lengths:
                    self.names[name] = (network, key)
                    self.learned[name] = p.detach().clone().requires_grad_()
        self.groups = [(list(self.learned), rules.learning_rate)]

    def weights(self):
        out = {"unet": {}, "text": {}}
        for name, value in self.learned.items():
            if self.acting:
                network, key = self.names[name]
                out[network][key] = value
        return out


class Custom:
    """custom-diffusion: diffusers' processors in the UNet, vectors behind the word table."""

    def __init__(self, model, rules, lengths, given):
        self.vectors = Vectors(model, rules, {n: k for n, k in lengths.items() if ".row." in n}, given)
        self.learned, self.unet, dtype = dict(self.vectors.learned), model.unet, self.vectors.table.dtype
        self.own, self.custom = dict(model.unet.attn_processors), {}
        for name in self.own:
            attention = model.unet.get_submodule(name.removesuffix(".processor"))
            if name.endswith("attn2.processor"):
                shape = attention.to_k.weight.shape
                one = CustomDiffusionAttnProcessor(True, False, shape[0], shape[1]).to(dtype)
                for leaf in ("to_k", "to_v"):
                    p = getattr(one, f"{leaf}_custom_diffusion").weight
                    p.data = getattr(attention, leaf).weight.detach().clone()
                    self.learned[name.replace("processor", f"{leaf}.weight")] = p
                self.custom[name] = one
            else:
                self.custom[name] = CustomDiffusionAttnProcessor(False, False)
        if set(self.learned) != set(lengths):
            raise KeyError(f"learned by one and not the other: {set(self.learned) ^ set(lengths)}")
        model.unet.set_attn_processor(dict(self.custom))
        self.groups = [(list(self.learned), rules.learning_rate)]

    def weights(self):
        return self.vectors.weights()

    @contextlib.contextmanager
    def plain(self):
        self.unet.set_attn_processor(dict(self.own))
        yield
        self.unet.set_attn_processor(dict(self.custom))


METHODS = {"custom-diffusion": Custom, "full": Whole, "svdiff": Shifts, "lora": LowRank, "textual-inversion": Vectors}
