/** Plaintexts that are held are zeroed where the use fails after all: its record may not be writable. */
export async function holding<Result>(
  use: (hold: (bytes: Uint8Array) => Uint8Array) => Promise<Result>,
): Promise<Result> {
  const held: Uint8Array[] = [];
  try {
    return await use((bytes) => {
      held.push(bytes);
      return bytes;
    });
  } catch (error) {
    for (const bytes of held) bytes.fill(0);
    throw error;
  }
}
