// Names that the engine accepts for containers.

export const isContainerName = (name: string): boolean => /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name);
