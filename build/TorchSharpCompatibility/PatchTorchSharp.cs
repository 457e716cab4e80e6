#nullable enable
using System;
using System.Collections.Generic;
using System.IO;
using System.Text;
using Microsoft.Build.Framework;

namespace MLComponents.Build;

/// <summary>
/// Makes libLibTorchSharp.so load where libstdc++.so.6 is older than GCC 13's (Debian 12, Ubuntu 22.04).
/// The library asks for the symbol version GLIBCXX_3.4.32 because of one function that does nothing
/// (<c>std::ios_base_library_init()</c>, an anchor for the linker). Three fields of the copy in the output folder change:
/// the needed version becomes weak, and the symbol takes the name and the version of another imported function.
/// </summary>
/// <remarks>
/// Compiled when a build needs it (RoslynCodeTaskFactory), here and in projects that use the package: one file,
/// .NET Standard 2.0 only. What does not look as expected is left alone with a warning, for the build itself is sound.
/// </remarks>
public sealed class PatchTorchSharp : Microsoft.Build.Utilities.Task
{
    private const string MissingVersion = "GLIBCXX_3.4.32";
    private const string AnchorSymbol = "_ZSt21ios_base_library_initv";
    private const string StandInSymbol = "_ZNSt6chrono3_V212steady_clock3nowEv";

    /// <summary>The copies of libLibTorchSharp.so to look at; those that do not exist are passed over.</summary>
    [Required]
    public ITaskItem[] Libraries { get; set; } = Array.Empty<ITaskItem>();

    /// <summary><c>auto</c>: where this machine's libstdc++ needs it. <c>always</c>: for a machine that does, from one that does not. <c>never</c>.</summary>
    public string Mode { get; set; } = "auto";

    /// <inheritdoc/>
    public override bool Execute()
    {
        if (Mode != "auto" && Mode != "always" && Mode != "never")
        {
            Log.LogError("TorchSharpLibstdcxxPatch is '{0}'; it must be 'auto', 'always' or 'never'.", Mode);
            return false;
        }
        if (Mode == "never" || (Mode == "auto" && !MachineLacksVersion())) return true;
        foreach (ITaskItem library in Libraries)
        {
            string path = library.GetMetadata("FullPath");
            if (!File.Exists(path)) continue;
            try
            {
                if (PatchFile(path)) Log.LogMessage(MessageImportance.Normal, "{0}: patched to load without {1}.", path, MissingVersion);
            }
            catch (Exception problem) when (problem is InvalidDataException || problem is IOException || problem is UnauthorizedAccessException)
            {
                Log.LogWarning("{0} was left as it is and may not load here, because this machine's libstdc++.so.6 lacks {1}: {2}", path, MissingVersion, problem.Message);
            }
        }
        return true;
    }

    /// <summary>Patches one file. Written beside it and renamed, so that no reader sees half of it and no hard link's other name changes.</summary>
    /// <returns>Whether the file changed; <see langword="false"/> where it was patched before or needs nothing.</returns>
    /// <exception cref="InvalidDataException">The file is not what the patch was made for; it is untouched.</exception>
    public static bool PatchFile(string path)
    {
        byte[] image = File.ReadAllBytes(path);
        if (!Patch(image)) return false;
        // The time stays, so that an incremental build takes the copy for up to date and does not copy it again.
        DateTime written = File.GetLastWriteTimeUtc(path);
        string temporary = path + "." + Guid.NewGuid().ToString("N") + ".tmp";
        try
        {
            File.WriteAllBytes(temporary, image);
            File.SetLastWriteTimeUtc(temporary, written);
            File.Replace(temporary, path, null);
        }
        finally
        {
            File.Delete(temporary);
        }
        return true;
    }

    /// <summary>Patches the bytes of a library in place.</summary>
    /// <returns>Whether they changed.</returns>
    /// <exception cref="InvalidDataException">They are not what the patch was made for; nothing changed.</exception>
    public static bool Patch(byte[] image)
    {
        var file = new ElfFile(image);
        Section needs = file.Find(ElfFile.VersionNeeds) ?? throw new InvalidDataException("it has no .gnu.version_r section.");
        long need = file.FindNeededVersion(needs, MissingVersion);
        if (need < 0) return false;

        Section versions = file.Find(ElfFile.SymbolVersions) ?? throw new InvalidDataException("it has no .gnu.version section.");
        Section symbols = file.Find(ElfFile.DynamicSymbols) ?? throw new InvalidDataException("it has no .dynsym section.");
        Section names = file.Linked(symbols);
        int count = checked((int)(symbols.Size / 24));
        if (versions.Size / 2 != count) throw new InvalidDataException(string.Format("it has {0} symbols and {1} symbol versions.", count, versions.Size / 2));

        int version = file.UInt16(need + 6);
        int anchor = -1, standIn = -1;
        for (int index = 1; index < count; index++)
        {
            string name = file.Text(names, file.UInt32(symbols.Offset + 24L * index));
            int symbolVersion = file.UInt16(versions.Offset + 2L * index) & 0x7fff;
            bool isImported = file.UInt16(symbols.Offset + 24L * index + 6) == 0;
            if (symbolVersion == version && isImported)
            {
                if (name != AnchorSymbol) throw new InvalidDataException(string.Format("{0} needs {1}, which only {2} was expected to.", name, MissingVersion, AnchorSymbol));
                anchor = index;
            }
            else if (name == StandInSymbol && isImported && standIn < 0)
            {
                standIn = index;
            }
        }
        bool isWeak = (file.UInt16(need + 4) & 2) != 0;
        if (anchor < 0 && isWeak) return false; // patched before
        if (anchor < 0) throw new InvalidDataException(string.Format("it needs {0}, but not for {1}.", MissingVersion, AnchorSymbol));
        if (standIn < 0) throw new InvalidDataException(string.Format("it does not import {0}, which was to stand in for {1}.", StandInSymbol, AnchorSymbol));

        file.SetUInt16(need + 4, file.UInt16(need + 4) | 2);
        file.SetUInt32(symbols.Offset + 24L * anchor, file.UInt32(symbols.Offset + 24L * standIn));
        file.SetUInt16(versions.Offset + 2L * anchor, file.UInt16(versions.Offset + 2L * standIn));
        return true;
    }

    /// <summary>Whether the libstdc++.so.6 that a program started here would load ends before the version.</summary>
    private bool MachineLacksVersion()
    {
        foreach (string candidate in StandardLibraries())
        {
            try
            {
                if (!File.Exists(candidate)) continue;
                byte[] image = File.ReadAllBytes(candidate);
                if (!ElfFile.IsSupported(image)) continue; // another architecture's
                bool lacks = IndexOf(image, Encoding.ASCII.GetBytes("\0" + MissingVersion + "\0"), 0) < 0;
                Log.LogMessage(MessageImportance.Low, "{0} {1} {2}.", candidate, lacks ? "lacks" : "has", MissingVersion);
                return lacks;
            }
            catch (Exception problem) when (problem is IOException || problem is UnauthorizedAccessException)
            {
                Log.LogMessage(MessageImportance.Low, "{0} cannot be read: {1}", candidate, problem.Message);
            }
        }
        Log.LogMessage(MessageImportance.Low, "No libstdc++.so.6 was found on this machine: nothing is patched.");
        return false;
    }

    /// <summary>Where the dynamic loader looks, in its order.</summary>
    private static IEnumerable<string> StandardLibraries()
    {
        const string name = "libstdc++.so.6";
        foreach (string folder in (Environment.GetEnvironmentVariable("LD_LIBRARY_PATH") ?? "").Split(':', ';'))
            if (folder.Length > 0) yield return Path.Combine(folder, name);
        foreach (string path in LoaderCache("/etc/ld.so.cache", name)) yield return path;
        foreach (string folder in new[] { "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib64", "/usr/local/lib" })
            yield return folder + "/" + name;
    }

    /// <summary>The paths that ldconfig wrote down for a library: zero-terminated texts that end with its name.</summary>
    private static List<string> LoaderCache(string cacheFile, string name)
    {
        var paths = new List<string>();
        byte[] cache;
        try
        {
            cache = File.ReadAllBytes(cacheFile);
        }
        catch (Exception problem) when (problem is IOException || problem is UnauthorizedAccessException)
        {
            return paths;
        }
        byte[] ending = Encoding.ASCII.GetBytes("/" + name + "\0");
        for (int found = IndexOf(cache, ending, 0); found >= 0; found = IndexOf(cache, ending, found + 1))
        {
            int start = found;
            while (start > 0 && cache[start - 1] != 0) start--;
            if (cache[start] == '/') paths.Add(Encoding.UTF8.GetString(cache, start, found + ending.Length - 1 - start));
        }
        return paths;
    }

    private static int IndexOf(byte[] bytes, byte[] wanted, int from)
    {
        for (int start = Array.IndexOf(bytes, wanted[0], from); start >= 0 && start <= bytes.Length - wanted.Length; start = Array.IndexOf(bytes, wanted[0], start + 1))
        {
            int matched = 1;
            while (matched < wanted.Length && bytes[start + matched] == wanted[matched]) matched++;
            if (matched == wanted.Length) return start;
        }
        return -1;
    }

    private sealed class Section
    {
        public uint Type, Link;
        public long Offset, Size;
    }

    /// <summary>A 64-bit little-endian x86-64 ELF file. Every offset read from it is checked before it is followed.</summary>
    private sealed class ElfFile
    {
        public const uint DynamicSymbols = 11, VersionNeeds = 0x6ffffffe, SymbolVersions = 0x6fffffff;
        private readonly byte[] _bytes;
        private readonly List<Section> _sections = new List<Section>();

        public ElfFile(byte[] bytes)
        {
            _bytes = bytes;
            if (!IsSupported(bytes)) throw new InvalidDataException("it is not a 64-bit x86-64 ELF file.");
            long table = Int64(0x28);
            int entrySize = UInt16(0x3a), count = UInt16(0x3c);
            if (entrySize != 64) throw new InvalidDataException(string.Format("its section headers have {0} bytes instead of 64.", entrySize));
            for (int index = 0; index < count; index++)
            {
                long header = checked(table + 64L * index);
                Check(header, 64);
                var section = new Section { Type = UInt32(header + 4), Offset = Int64(header + 0x18), Size = Int64(header + 0x20), Link = UInt32(header + 0x28) };
                if (section.Type != 0 && section.Type != 8) Check(section.Offset, section.Size); // SHT_NULL and SHT_NOBITS hold no bytes
                _sections.Add(section);
            }
        }

        public static bool IsSupported(byte[] bytes) =>
            bytes.Length >= 64 && bytes[0] == 0x7f && bytes[1] == 'E' && bytes[2] == 'L' && bytes[3] == 'F'
            && bytes[4] == 2 && bytes[5] == 1 && bytes[0x12] == 62 && bytes[0x13] == 0;

        public Section? Find(uint type) => _sections.Find(section => section.Type == type);

        public Section Linked(Section section)
        {
            if (section.Link >= _sections.Count || _sections[(int)section.Link].Type != 3) throw new InvalidDataException(string.Format("section {0} is not a string table.", section.Link));
            return _sections[(int)section.Link];
        }

        /// <summary>Where the entry (vernaux) for a needed version starts, or -1.</summary>
        public long FindNeededVersion(Section needs, string version)
        {
            Section names = Linked(needs);
            long end = needs.Offset + needs.Size;
            for (long library = needs.Offset; ;)
            {
                Inside(library, end);
                long entry = library + UInt32(library + 8);
                for (int left = UInt16(library + 2); left > 0; left--)
                {
                    Inside(entry, end);
                    if (Text(names, UInt32(entry + 8)) == version) return entry;
                    entry += UInt32(entry + 12);
                }
                uint next = UInt32(library + 12);
                if (next == 0) return -1;
                library += next;
            }
        }

        public string Text(Section table, uint at)
        {
            if (at >= table.Size) throw new InvalidDataException(string.Format("a name lies at {0} in a string table of {1} bytes.", at, table.Size));
            int start = (int)(table.Offset + at), end = Array.IndexOf(_bytes, (byte)0, start, (int)(table.Size - at));
            if (end < 0) throw new InvalidDataException("a name has no end.");
            return Encoding.ASCII.GetString(_bytes, start, end - start);
        }

        public int UInt16(long at)
        {
            Check(at, 2);
            return _bytes[at] | _bytes[at + 1] << 8;
        }

        public uint UInt32(long at) => (uint)UInt16(at) | (uint)UInt16(at + 2) << 16;

        public void SetUInt16(long at, int value)
        {
            Check(at, 2);
            _bytes[at] = (byte)value;
            _bytes[at + 1] = (byte)(value >> 8);
        }

        public void SetUInt32(long at, uint value)
        {
            SetUInt16(at, (int)(value & 0xffff));
            SetUInt16(at + 2, (int)(value >> 16));
        }

        private long Int64(long at) => (long)(UInt32(at) | (ulong)UInt32(at + 4) << 32);

        private void Check(long offset, long size)
        {
            if (offset < 0 || size < 0 || offset > _bytes.Length - size)
                throw new InvalidDataException(string.Format("it ends at {0}, before the {1} bytes at {2}.", _bytes.Length, size, offset));
        }

        private static void Inside(long entry, long end)
        {
            if (entry > end - 16) throw new InvalidDataException("its .gnu.version_r section runs over its end.");
        }
    }
}
