export declare const HEX: string;
export declare function assembled(file: string): Promise<string>;
