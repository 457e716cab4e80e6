// What a program that has only the packages sees. PackageTests builds it in a temporary folder and reads what it prints.
using TorchSharp;

using torch.Tensor tensor = torch.arange(3, torch.float32) + 1;
Console.WriteLine($"tensor: {string.Join(' ', tensor.data<float>().ToArray())}");
