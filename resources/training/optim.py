"""What both trainings share: the optimiser, the moving average, the clock and the checkpoints.

Muon (K. Jordan, 2024) steps a weight matrix along the orthogonal factor of its momentum, found with
five Newton-Schulz iterations; vectors, embeddings and the first and last layers take AdamW.  The
learning rate rises over the first steps, stays, and falls in a straight line over the last quarter
of the time that was given.  Several processes (torchrun) share a training: each has its own
pictures, the gradients are averaged, each finds the orthogonal factors of its share of the
matrices, the first process keeps the time and writes the files.
"""
import os
import time

import torch
import torch.distributed as distributed

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)


def rank():
    """Returns the process's number; 0 where there is one process only."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def processes():
    return distributed.get_world_size() if distributed.is_initialized() else 1


def add_up(tensors):
    """Replaces every tensor by its sum over the processes."""
    if processes() == 1:
        return
    flat = torch.cat([tensor.flatten() for tensor in tensors])
    distributed.all_reduce(flat)
    for tensor, total in zip(tensors, flat.split([tensor.numel() for tensor in tensors])):
        tensor.copy_(total.view_as(tensor))


def orthogonal_factors(matrices, steps=5):
    """Returns U V^T, nearly, for each matrix U S V^T of a stack n,rows,columns.

    Half precision does: the iteration draws all singular values towards 1, its own errors too.
    """
    a, b, c = NEWTON_SCHULZ
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.transpose(1, 2) if tall else matrices
    x = (x / (x.flatten(1).norm(dim=1)[:, None, None] + 1e-7)).bfloat16()
    for _ in range(steps):
        gram = x @ x.transpose(1, 2)
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    x = x.transpose(1, 2) if tall else x
    return x.float()


class Optimiser:
    """Muon for the inner matrices and convolutions, AdamW for all the rest."""

    def __init__(self, modules, muon_rate, adam_rate, outer=()):
        self.muon_rate, self.adam_rate = muon_rate, adam_rate
        self.weights = [weight for module in modules for weight in module.parameters()
                        if weight.requires_grad]
        self.matrices, others = [], []
        for module in modules:
            for name, weight in module.named_parameters():
                if not weight.requires_grad:
                    continue
                inner = weight.ndim >= 2 and not any(part in name for part in outer)
                (self.matrices if inner else others).append(weight)
        self.momenta = [torch.zeros_like(weight) for weight in self.matrices]
        self.adam = torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.99), weight_decay=0.0)

    def step(self, factor, momentum=0.95, decay=0.01):
        if processes() > 1:
            torch._foreach_div_([weight.grad for weight in self.weights], processes())
        add_up([weight.grad for weight in self.weights])
        for group in self.adam.param_groups:
            group["lr"] = self.adam_rate * factor
        self.adam.step()
        rate = self.muon_rate * factor
        with torch.no_grad():
            for weight, step in zip(self.matrices, self._muon_steps(momentum)):
                weight.mul_(1 - rate * decay).sub_(step, alpha=rate)
        for weight in self.matrices:
            weight.grad = None
        self.adam.zero_grad(set_to_none=True)

    def _muon_steps(self, momentum):
        """Returns one step for each matrix; every process works out its share of each shape."""
        torch._foreach_lerp_(self.momenta, [weight.grad for weight in self.matrices], 1 - momentum)
        steps = [torch.zeros_like(weight) for weight in self.matrices]
        shapes = {}
        for index, weight in enumerate(self.matrices):
            shapes.setdefault(weight.flatten(1).shape, []).append(index)
        for shape, members in shapes.items():
            mine = members[rank()::processes()]
            if not mine:
                continue
            stack = torch.stack([torch.lerp(self.matrices[index].grad, self.momenta[index],
                                            momentum).flatten(1) for index in mine])
            found = orthogonal_factors(stack) * max(1.0, shape[0] / shape[1]) ** 0.5
            for index, step in zip(mine, found):
                steps[index] = step.view_as(steps[index])
        add_up(steps)
        return steps

    def state_dict(self):
        return {"momenta": self.momenta, "adam": self.adam.state_dict()}

    def load_state_dict(self, state):
        for average, saved in zip(self.momenta, state["momenta"]):
            average.copy_(saved)
        self.adam.load_state_dict(state["adam"])


class MovingAverage:
    """Keeps an exponential moving average of the modules' weights (EMA)."""

    def __init__(self, modules, decay):
        self.modules, self.decay = modules, decay
        self.weights = [weight.detach().clone() for weight in self._live()]
        self.steps = 0

    def _live(self):
        return [weight for module in self.modules for weight in module.parameters()]

    def update(self):
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        torch._foreach_lerp_(self.weights, [weight.detach() for weight in self._live()], 1 - decay)

    def swap(self):
        """Exchanges the live and the averaged weights; a second call undoes it."""
        with torch.no_grad():
            for weight, average in zip(self._live(), self.weights):
                held = weight.clone()
                weight.copy_(average)
                average.copy_(held)


class Clock:
    """Counts training time across interruptions and sets the learning rate by it."""

    def __init__(self, seconds, warm_up=60, fall=0.25):
        self.seconds, self.warm_up, self.fall = seconds, warm_up, fall
        self.before, self.now, self.started, self.step = 0.0, 0.0, time.monotonic(), 0

    def elapsed(self):
        return self.before + time.monotonic() - self.started

    def over(self):
        """Whether the time is up, by the first process's clock."""
        self.now = self.elapsed()
        if distributed.is_initialized():
            now = torch.tensor(self.now, dtype=torch.float64)
            distributed.broadcast(now, 0)
            self.now = float(now)
        return self.now >= self.seconds

    def falling(self):
        """Whether the learning rate has begun to fall."""
        return self.now > (1 - self.fall) * self.seconds

    def factor(self):
        """Returns the share of the full learning rate for the next step."""
        self.step += 1
        left = max(0.0, 1 - self.now / self.seconds)
        return min(1.0, self.step / self.warm_up, left / self.fall)


def save_checkpoint(path, clock, **parts):
    """Writes the parts' states aside and renames them into place."""
    if rank() != 0:
        return
    state = {name: part.state_dict() if hasattr(part, "state_dict") else part
             for name, part in parts.items()}
    state["clock"] = (clock.elapsed(), clock.step)
    torch.save(state, f"{path}.new")
    os.replace(f"{path}.new", path)


def load_checkpoint(path, clock, **parts):
    """Puts saved states back; returns the whole saved state, or None where there is none."""
    if not path.exists():
        return None
    state = torch.load(path, map_location="cpu", weights_only=True)
    clock.before, clock.step = state["clock"]
    clock.started = time.monotonic()
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return state
