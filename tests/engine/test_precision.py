import pytest
import torch

from core.engine.precision import fast_dtype

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": True}, torch.bfloat16),
        ({"cpu_name": "Intel Xeon", "avx512_bf16": True, "amx_bf16": False}, None),
        ({"cpu_name": "AMD EPYC", "avx512_bf16": True}, torch.bfloat16),
        ({"cpu_name": "Neoverse", "bf16": True}, torch.bfloat16),
        ({"cpu_name": "AMD EPYC"}, None),
    ],
)
def test_bfloat16_is_taken_where_it_is_faster(capabilities, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    assert fast_dtype(CPU) is expected
