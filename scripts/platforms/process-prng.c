/* The function of bcryptprimitives.dll that Rust's standard library uses. Wine 8 does not have this library. */

__declspec(dllimport) unsigned char __stdcall SystemFunction036(void *buffer, unsigned long length);

__declspec(dllexport) int __stdcall ProcessPrng(unsigned char *buffer, unsigned long long length) {
  const unsigned long long most = 0x10000000;
  while (length > 0) {
    unsigned long part = (unsigned long)(length < most ? length : most);
    if (!SystemFunction036(buffer, part)) return 0;
    buffer += part;
    length -= part;
  }
  return 1;
}
