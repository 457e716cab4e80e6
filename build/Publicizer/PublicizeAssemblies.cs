#nullable enable
using System;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;

namespace MLComponents.Build;

/// <summary>
/// Writes copies of assemblies to compile against, in which what was <c>internal</c> is public and what was
/// <c>private protected</c> is protected. Only visibility bits differ; the same input gives the same bytes.
/// </summary>
/// <remarks>
/// Compiled when a build needs it (RoslynCodeTaskFactory), against .NET Standard 2.0 alone: System.Reflection.Metadata is not among
/// that factory's references. The three tables to change stand among the first seven of ECMA-335 (partition II, 22 and 24.2.6),
/// so that their place follows from the sizes of those rows.
/// </remarks>
public sealed class PublicizeAssemblies : Microsoft.Build.Utilities.Task
{
    /// <summary>The assemblies to copy.</summary>
    [Required]
    public ITaskItem[] Assemblies { get; set; } = Array.Empty<ITaskItem>();

    /// <summary>The folder for the copies, which keep their names.</summary>
    [Required]
    public string OutputFolder { get; set; } = "";

    /// <inheritdoc/>
    public override bool Execute()
    {
        Directory.CreateDirectory(OutputFolder);
        foreach (ITaskItem assembly in Assemblies)
        {
            string source = assembly.ItemSpec, target = Path.Combine(OutputFolder, Path.GetFileName(source));
            byte[] image = File.ReadAllBytes(source);
            try
            {
                Publicize(image);
            }
            catch (Exception problem) when (problem is ArgumentException || problem is IndexOutOfRangeException || problem is InvalidDataException)
            {
                Log.LogError("{0} cannot be publicized: {1}", source, problem.Message);
                return false;
            }
            // Whole or not at all, for another build of the same folder may be reading it.
            string temporary = target + "." + Guid.NewGuid().ToString("N") + ".tmp";
            File.WriteAllBytes(temporary, image);
            if (File.Exists(target)) File.Replace(temporary, target, null);
            else File.Move(temporary, target);
        }
        return true;
    }

    /// <summary>Changes the visibility bits of an assembly in place.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a compressed-metadata .NET assembly.</exception>
    public static void Publicize(byte[] image)
    {
        int tables = FindTables(image, out int heapSizes, out int[] rows);
        int text = (heapSizes & 1) != 0 ? 4 : 2, guid = (heapSizes & 2) != 0 ? 4 : 2, blob = (heapSizes & 4) != 0 ? 4 : 2;
        int Index(int table) => rows[table] > 0xffff ? 4 : 2;
        int Coded(params int[] choices) // two tag bits
        {
            foreach (int table in choices)
                if (rows[table] > 0x3fff) return 4;
            return 2;
        }
        const int module = 0, typeRef = 1, typeDef = 2, fieldPointer = 3, field = 4, methodPointer = 5, method = 6, parameter = 8, moduleRef = 26, typeSpec = 27, assemblyRef = 35;
        if (rows[fieldPointer] != 0 || rows[methodPointer] != 0) throw new InvalidDataException("its metadata is not compressed.");
        int typeRefSize = Coded(module, moduleRef, assemblyRef, typeRef) + 2 * text;
        int typeSize = 4 + 2 * text + Coded(typeDef, typeRef, typeSpec) + Index(field) + Index(method);
        int fieldSize = 2 + text + blob;
        int methodSize = 8 + text + blob + Index(parameter);

        int types = tables + rows[module] * (2 + text + 3 * guid) + rows[typeRef] * typeRefSize;
        int fields = types + rows[typeDef] * typeSize;
        int methods = fields + rows[field] * fieldSize;
        for (int row = 0; row < rows[typeDef]; row++) PublicizeType(image, types + row * typeSize);
        for (int row = 0; row < rows[field]; row++) PublicizeMember(image, fields + row * fieldSize);
        for (int row = 0; row < rows[method]; row++) PublicizeMember(image, methods + row * methodSize + 6);
    }

    private static void PublicizeType(byte[] image, int flags)
    {
        int visibility = image[flags] & 7;
        if (visibility == 0) visibility = 1; // not public -> public
        else if (visibility == 5 || visibility == 6 || visibility == 7) visibility = 2; // nested in any internal way -> nested public
        image[flags] = (byte)(image[flags] & ~7 | visibility);
    }

    private static void PublicizeMember(byte[] image, int flags)
    {
        int access = image[flags] & 7;
        if (access == 3) access = 6; // internal -> public
        else if (access == 2) access = 4; // private protected -> protected, so that it is still overridden as protected
        image[flags] = (byte)(image[flags] & ~7 | access);
    }

    /// <summary>Where the rows of the metadata tables start.</summary>
    private static int FindTables(byte[] image, out int heapSizes, out int[] rows)
    {
        int metadata = FindMetadata(image);
        int streams = metadata + 16 + Int32(image, metadata + 12);
        int count = UInt16(image, streams + 2), entry = streams + 4;
        for (; count > 0; count--)
        {
            int nameEnd = Array.IndexOf(image, (byte)0, entry + 8);
            string name = Encoding.ASCII.GetString(image, entry + 8, nameEnd - entry - 8);
            if (name == "#~")
            {
                int header = metadata + Int32(image, entry);
                heapSizes = image[header + 6];
                ulong present = BitConverter.ToUInt64(image, header + 8);
                rows = new int[64];
                int next = header + 24;
                for (int table = 0; table < 64; table++)
                {
                    if ((present >> table & 1) == 0) continue;
                    rows[table] = Int32(image, next);
                    next += 4;
                }
                return next;
            }
            entry += 8 + (name.Length / 4 + 1) * 4;
        }
        throw new InvalidDataException("it has no table stream.");
    }

    private static int FindMetadata(byte[] image)
    {
        int header = Int32(image, 0x3c);
        if (UInt16(image, 0) != 0x5a4d || Int32(image, header) != 0x4550) throw new InvalidDataException("it is not a PE file.");
        int sectionCount = UInt16(image, header + 6), optional = header + 24, sections = optional + UInt16(image, header + 20);
        int directories = optional + (UInt16(image, optional) == 0x20b ? 112 : 96);
        int Offset(int address)
        {
            for (int section = sections; section < sections + 40 * sectionCount; section += 40)
            {
                int start = Int32(image, section + 12);
                if (address >= start && address - start < Int32(image, section + 16)) return Int32(image, section + 20) + address - start;
            }
            throw new InvalidDataException("it is not a .NET assembly.");
        }
        int metadata = Offset(Int32(image, Offset(Int32(image, directories + 14 * 8)) + 8));
        if (Int32(image, metadata) != 0x424a5342) throw new InvalidDataException("its metadata has no signature.");
        return metadata;
    }

    private static int Int32(byte[] image, int at) => BitConverter.ToInt32(image, at);

    private static int UInt16(byte[] image, int at) => BitConverter.ToUInt16(image, at);
}
