using TorchSharp;

namespace MLComponents.Models.Tests;

public class TorchBackendTests
{
    [Fact]
    public void The_native_backend_loads_and_computes()
    {
        using torch.Tensor zeros = torch.zeros(3);
        using torch.Tensor ones = zeros + 1;
        Assert.Equal([1f, 1f, 1f], ones.data<float>().ToArray());
    }
}
