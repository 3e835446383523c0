"""The critic: what tells painted pictures from decoded ones, for the decoder's last training.

Convolutions over 128x128x3 that see patches of 46 pixels (Isola et al., pix2pix, 2017), with spectral norms
(Miyato et al., 2018).  The hinge loss of GANs: the critic learns to say more than 1 of painted pictures and less
than -1 of decoded ones, mean max(0, 1 - C(x)) + mean max(0, 1 + C(y)); the decoder learns to raise C(y), and
to make the critic's inner features of y those of x, the picture that y should be, which keeps it steady.
"""
import torch
from torch import nn
from torch.nn.functional import leaky_relu, relu
from torch.nn.utils.parametrizations import spectral_norm

WIDTHS = (24, 48, 96)
RATE = 4e-4


class Critic(nn.Module):
    """n,3,h,w -> n,1,h/8,w/8; `features` gives what lies between, too."""

    def __init__(self):
        super().__init__()
        inputs = (3, *WIDTHS)
        self.layers = nn.ModuleList(spectral_norm(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(inputs, WIDTHS))
        self.last = spectral_norm(nn.Conv2d(WIDTHS[-1], 1, 3, 1, 1))

    def features(self, x):
        found = []
        for layer in self.layers:
            x = leaky_relu(layer(x), 0.2)
            found.append(x)
        return found

    def forward(self, x):
        return self.last(self.features(x)[-1])


def critic_loss(critic, painted, decoded):
    return relu(1 - critic(painted)).mean() + relu(1 + critic(decoded)).mean()


def decoder_loss(critic, painted, decoded):
    """Returns (adversarial, features): what the decoder should lower."""
    with torch.no_grad():
        wanted = critic.features(painted)
    found = critic.features(decoded)
    features = sum((a - b).abs().mean() / (b.abs().mean() + 1e-3) for a, b in zip(found, wanted)) / len(wanted)
    return -critic.last(found[-1]).mean(), features
