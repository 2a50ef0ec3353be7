using System.Runtime.InteropServices;

namespace Nibble.Memory;

/// <summary>Instructions assembled at run time. Their memory is written first and executed then, never both at once.</summary>
internal static unsafe partial class MachineCode
{
    private const int MapFailed = -1;

    /// <summary>Makes <paramref name="code"/>, which must not depend on its address, executable; it stays until the process ends.</summary>
    /// <returns>Its address, or 0 where the system does not allow such memory.</returns>
    public static nint Load(ReadOnlySpan<byte> code)
    {
        nuint length = (nuint)code.Length;
        if (OperatingSystem.IsWindows())
        {
            const uint CommitAndReserve = 0x3000, ReadWrite = 0x04, ExecuteRead = 0x20;
            nint memory = VirtualAlloc(0, length, CommitAndReserve, ReadWrite);
            if (memory == 0) return 0;
            code.CopyTo(new Span<byte>((void*)memory, code.Length));
            return VirtualProtect(memory, length, ExecuteRead, out _) ? memory : 0;
        }
        else
        {
            const int Read = 1, Write = 2, Execute = 4, Private = 2;
            int anonymous = OperatingSystem.IsMacOS() ? 0x1000 : 0x20;
            nint memory = Map(0, length, Read | Write, Private | anonymous, -1, 0);
            if (memory == MapFailed) return 0;
            code.CopyTo(new Span<byte>((void*)memory, code.Length));
            return Protect(memory, length, Read | Execute) == 0 ? memory : 0;
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("kernel32")]
    private static partial nint VirtualAlloc(nint address, nuint length, uint type, uint protection);

    [LibraryImport("kernel32")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static partial bool VirtualProtect(nint address, nuint length, uint protection, out uint previous);
}
