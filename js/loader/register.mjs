import register from './register.cjs';

export const { isActive, replaced } = register;
