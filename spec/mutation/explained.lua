-- Mutants that no spec can kill, by file: { the line, the change, why it makes no difference }.

return {
}
