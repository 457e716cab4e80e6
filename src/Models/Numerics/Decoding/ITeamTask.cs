namespace MLComponents.Models;

/// <summary>Work for a <see cref="WorkerTeam"/>.</summary>
internal interface ITeamTask
{
    /// <summary>One member's part. Every member passes the same meetings.</summary>
    /// <param name="team">The team that works.</param>
    /// <param name="member">Which member it is, from 0.</param>
    void Work(WorkerTeam team, int member);
}
