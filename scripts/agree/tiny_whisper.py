"""A Whisper with random weights and a tiny alphabet, in CTranslate2's format, made on the spot.

Real weights cannot be had without a network; this has all their parts and none of their sense.
"""

from pathlib import Path
from typing import Any

SIZE = 64
TIMESTAMPS = 1501
TIMESTAMP_SECONDS = 0.02


def make_model(folder: Path) -> Path:
    """A folder as faster-whisper wants it; needs transformers, torch and ctranslate2."""
    import ctranslate2
    import torch
    from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

    torch.manual_seed(3)
    source, target = folder / "transformers", folder / "ctranslate2"
    source.mkdir(parents=True)
    tokenizer = make_tokenizer()
    tokenizer.save(str(source / "tokenizer.json"))
    WhisperForConditionalGeneration(make_config(tokenizer)).save_pretrained(source)
    wrap(tokenizer).save_pretrained(source)
    WhisperFeatureExtractor().save_pretrained(source)
    converter = ctranslate2.converters.TransformersConverter(
        str(source), copy_files=["tokenizer.json"]
    )
    converter.convert(str(target))
    return target


def make_tokenizer() -> Any:
    """One token a byte, and Whisper's signs and times."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: i for i, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tasks = ("translate", "transcribe", "startoflm", "startofprev", "nospeech", "notimestamps")
    signs = ("endoftext", "startoftranscript", *_LANGUAGE_CODES, *tasks)
    tokenizer.add_special_tokens([AddedToken(f"<|{sign}|>", special=True) for sign in signs])
    times = (index * TIMESTAMP_SECONDS for index in range(TIMESTAMPS))
    tokenizer.add_tokens([AddedToken(f"<|{at:.2f}|>") for at in times])
    return tokenizer


def make_config(tokenizer: Any) -> Any:
    """Whisper's shape with two small layers a side."""
    from transformers import WhisperConfig

    end = tokenizer.token_to_id("<|endoftext|>")
    return WhisperConfig(
        vocab_size=tokenizer.get_vocab_size(),
        d_model=SIZE,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=2 * SIZE,
        decoder_ffn_dim=2 * SIZE,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=tokenizer.token_to_id("<|startoftranscript|>"),
        suppress_tokens=[],
        begin_suppress_tokens=[],
    )


def wrap(tokenizer: Any) -> Any:
    """The tokenizer as transformers saves it."""
    from transformers import WhisperTokenizerFast

    end = "<|endoftext|>"
    return WhisperTokenizerFast(
        tokenizer_object=tokenizer, unk_token=end, bos_token=end, eos_token=end
    )
