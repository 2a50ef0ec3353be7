using System.Buffers.Binary;
using System.Security.Cryptography;
using Nibble.Memory;

namespace Nibble.Files;

/// <summary>
/// Tells models apart by what is in them, wherever they lie and whenever they were copied: fast also for hundreds of gigabytes, of
/// which it reads the beginning, the end and pieces in between. <see cref="HashedFile"/> reads all of a file.
/// </summary>
public static class ContentIdentity
{
    private const int PieceBytes = 1 << 14, Pieces = 256, EndBytes = 1 << 20;

    /// <summary>64 hexadecimal digits that are the same for the same files; their names do not matter, their order does.</summary>
    /// <exception cref="NibbleException">A file cannot be read.</exception>
    public static string Of(ModelFile model)
    {
        ArgumentNullException.ThrowIfNull(model);
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Span<byte> length = stackalloc byte[sizeof(long)];
        foreach (string path in model.Files)
        {
            using MappedFile file = new(path);
            BinaryPrimitives.WriteInt64LittleEndian(length, file.Length);
            hash.AppendData(length);
            if (file.Length <= 2L * EndBytes + (long)Pieces * PieceBytes)
            {
                hash.AppendData(file.Region.AsSpan<byte>());
                continue;
            }
            hash.AppendData(file.Region.AsSpan<byte>(0, EndBytes));
            long between = file.Length - 2L * EndBytes - PieceBytes;
            for (int i = 0; i < Pieces; i++) hash.AppendData(file.Region.AsSpan<byte>(EndBytes + between / Pieces * i, PieceBytes));
            hash.AppendData(file.Region.AsSpan<byte>(file.Length - EndBytes, EndBytes));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
