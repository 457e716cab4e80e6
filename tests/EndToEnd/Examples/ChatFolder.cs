namespace MLComponents.EndToEnd.Tests;

/// <summary>The folder of a tiny model with a chat template, for the examples that talk.</summary>
internal static class ChatFolder
{
    private const string Template = """
        {%- for tool in tools or [] %}{{ tool.function.name ~ '\n' }}{% endfor -%}
        {%- for message in messages %}{{ message.role ~ ': ' ~ (message.content or '') ~ '\n' }}{% endfor -%}
        {%- if add_generation_prompt %}{{ 'assistant: ' ~ ('<think>' if enable_thinking else '') }}{% endif %}
        """;

    public static string Create(string folder)
    {
        TinyFolder.Create(folder, Ticket.Rows(120).Select(row => row.Body));
        File.WriteAllText(Path.Combine(folder, "chat_template.jinja"), Template);
        return folder;
    }
}
