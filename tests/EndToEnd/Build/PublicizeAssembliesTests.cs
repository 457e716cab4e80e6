using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using MLComponents.Build;

namespace MLComponents.EndToEnd.Tests;

public class PublicizeAssembliesTests
{
    [Theory]
    [InlineData("Microsoft.ML.Core.dll")]
    [InlineData("Microsoft.ML.Data.dll")]
    public void Internals_become_public_and_nothing_else_changes(string name)
    {
        byte[] original = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, name)), copy = [.. original];
        PublicizeAssemblies.Publicize(copy);

        using var before = new PEReader(new MemoryStream(original));
        using var after = new PEReader(new MemoryStream(copy));
        MetadataReader old = before.GetMetadataReader(), changed = after.GetMetadataReader();
        int changes = 0;
        foreach (TypeDefinitionHandle handle in old.TypeDefinitions)
        {
            TypeAttributes was = old.GetTypeDefinition(handle).Attributes, now = changed.GetTypeDefinition(handle).Attributes;
            Assert.Equal(Expected(was & TypeAttributes.VisibilityMask), now & TypeAttributes.VisibilityMask);
            Assert.Equal(was & ~TypeAttributes.VisibilityMask, now & ~TypeAttributes.VisibilityMask);
            if (was != now) changes++;
        }
        foreach (MethodDefinitionHandle handle in old.MethodDefinitions)
        {
            MethodAttributes was = old.GetMethodDefinition(handle).Attributes, now = changed.GetMethodDefinition(handle).Attributes;
            Assert.Equal(Expected(was & MethodAttributes.MemberAccessMask), now & MethodAttributes.MemberAccessMask);
            Assert.Equal(was & ~MethodAttributes.MemberAccessMask, now & ~MethodAttributes.MemberAccessMask);
            if (was != now) changes++;
        }
        foreach (FieldDefinitionHandle handle in old.FieldDefinitions)
        {
            FieldAttributes was = old.GetFieldDefinition(handle).Attributes, now = changed.GetFieldDefinition(handle).Attributes;
            Assert.Equal((FieldAttributes)Expected((MethodAttributes)(was & FieldAttributes.FieldAccessMask)), now & FieldAttributes.FieldAccessMask);
            Assert.Equal(was & ~FieldAttributes.FieldAccessMask, now & ~FieldAttributes.FieldAccessMask);
            if (was != now) changes++;
        }
        Assert.NotEqual(0, changes);
        Assert.Equal(changes, original.Where((value, index) => value != copy[index]).Count()); // one byte each, and no byte besides
    }

    [Fact]
    public void What_is_not_an_assembly_is_refused()
    {
        Assert.ThrowsAny<Exception>(() => PublicizeAssemblies.Publicize(new byte[100]));
        Assert.ThrowsAny<Exception>(() => PublicizeAssemblies.Publicize([]));
    }

    private static TypeAttributes Expected(TypeAttributes visibility) => visibility switch
    {
        TypeAttributes.NotPublic => TypeAttributes.Public,
        TypeAttributes.NestedAssembly or TypeAttributes.NestedFamANDAssem or TypeAttributes.NestedFamORAssem => TypeAttributes.NestedPublic,
        _ => visibility,
    };

    private static MethodAttributes Expected(MethodAttributes access) => access switch
    {
        MethodAttributes.Assembly => MethodAttributes.Public,
        MethodAttributes.FamANDAssem => MethodAttributes.Family,
        _ => access,
    };
}
