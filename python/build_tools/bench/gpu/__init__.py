"""The model library on a graphics card, beside llama.cpp's WebGPU (wllama) with the same weights in the same browser."""
