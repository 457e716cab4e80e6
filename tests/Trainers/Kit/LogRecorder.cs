using System.Collections.Concurrent;
using Microsoft.ML;
using Microsoft.ML.Runtime;

namespace MLComponents.Trainers.Tests;

/// <summary>Keeps what ML.NET's log says, on whatever thread.</summary>
internal sealed class LogRecorder
{
    private readonly ConcurrentQueue<LoggingEventArgs> _messages = [];

    public LogRecorder(MLContext ml) => ml.Log += (_, message) => _messages.Enqueue(message);

    public string[] Of(ChannelMessageKind kind) => [.. _messages.Where(message => message.Kind == kind).Select(message => message.Message)];
}
