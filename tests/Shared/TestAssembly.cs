using Xunit.Sdk;
using Xunit.v3;

// The backend's random generator, thread count and count of live tensors belong to the process: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
