export const appEvents = {}
