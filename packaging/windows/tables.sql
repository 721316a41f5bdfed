-- What wixl 0.101 cannot express. `cargo xtask dist windows` gives these statements to `msibuild -q`, after
-- wixl and before the words of the language.

-- Rows that wixl leaves incomplete.
UPDATE `File` SET `FileName` = 'MNGNTIME.EXE|MngnTimeCliSvc.exe' WHERE `File` = 'MngnTimeCliSvc.exe';
UPDATE `File` SET `FileName` = 'MNGNTIME.DLL|MngnTimeMsg1.dll' WHERE `File` = 'MngnTimeMsg1.dll';
UPDATE `Registry` SET `Value` = '#%[InstallFolder]MngnTimeMsg1.dll' WHERE `Registry` = 'SourceFile';

-- wixl reads no version from a program. Without one in this table Windows Installer takes the file it brings
-- for older than every file that has one.
UPDATE `File` SET `Version` = '$FILEVERSION$', `Language` = '1033' WHERE `File` = 'MngnTimeCliSvc.exe';
UPDATE `File` SET `Version` = '$FILEVERSION$', `Language` = '1033' WHERE `File` = 'MngnTimeMsg1.dll';

-- Attributes of components: 256 = 64-bit, 4 = the key path is a registry value, 16 = permanent,
-- 64 = transitive: a reinstallation looks at the condition again.
-- Messages stay after an uninstall: the lines in the event log are of no use without their texts.
UPDATE `Component` SET `Attributes` = 272 WHERE `Component` = 'Messages';
UPDATE `Component` SET `Attributes` = 324, `Condition` = 'SERVER_URL' WHERE `Component` = 'ServerUrl';
UPDATE `Component` SET `Attributes` = 324, `Condition` = 'CONTRACT_CODE' WHERE `Component` = 'ContractCode';
UPDATE `Component` SET `Attributes` = 324, `Condition` = 'PROXY' WHERE `Component` = 'Proxy';
UPDATE `Component` SET `Attributes` = 324, `Condition` = 'ENROLLMENT_KEY' WHERE `Component` = 'EnrollmentKey';

-- Upgrades. Bits: 1 = take the choice of features over, 256 and 512 = the versions named are included.
-- Every older version gives way, and so does the same version in the other language.
INSERT INTO `Upgrade` (`UpgradeCode`, `VersionMin`, `VersionMax`, `Attributes`, `ActionProperty`) VALUES ('{6F0A3C1E-52B7-4D0B-9A53-0E7C2B6D41F8}', '0.0.0', '$VERSION$', 769, 'OLDER_FOUND');

-- Properties that an administrator's process may hand over to the process that installs.
UPDATE `Property` SET `Value` = 'SERVER_URL;CONTRACT_CODE;ENROLLMENT_KEY;PROXY;PURGE;OLDER_FOUND;NEWER_FOUND' WHERE `Property` = 'SecureCustomProperties';
-- The searches are made where the installation is made; nothing they find has to be handed over.
DELETE FROM `InstallUISequence` WHERE `Action` = 'AppSearch';

-- PURGE=1 in an uninstall (2): the files of a folder, then the folder; one that is not empty stays. The names
-- beside `*` are there because Wine's installer, under which this is tested, knows no wildcards.
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge01', 'Purge', '*', 'PurgeJournal', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge02', 'Purge', 'heartbeat', 'PurgeJournal', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge03', 'Purge', 'reserve', 'PurgeJournal', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `DirProperty`, `InstallMode`) VALUES ('Purge04', 'Purge', 'PurgeJournal', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge05', 'Purge', '*', 'PurgeState', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge06', 'Purge', 'device.key', 'PurgeState', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge07', 'Purge', 'lock', 'PurgeState', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `DirProperty`, `InstallMode`) VALUES ('Purge08', 'Purge', 'PurgeState', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge09', 'Purge', 'config.toml', 'PurgeBase', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `DirProperty`, `InstallMode`) VALUES ('Purge10', 'Purge', 'PurgeBase', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`) VALUES ('Purge11', 'Purge', 'MngnTimeMsg1.dll', 'PurgeProgram', 2);
INSERT INTO `RemoveFile` (`FileKey`, `Component_`, `DirProperty`, `InstallMode`) VALUES ('Purge12', 'Purge', 'PurgeProgram', 2);
-- Name `-`: remove the key in an uninstall. Setup also holds what the service has written there. The event
-- source goes with PURGE=1 only; without it the second row names a key which never exists.
INSERT INTO `Registry` (`Registry`, `Root`, `Key`, `Name`, `Component_`) VALUES ('PurgeSetupKey', 2, 'SOFTWARE\MngnTime\Setup', '-', 'Purge');
INSERT INTO `Registry` (`Registry`, `Root`, `Key`, `Name`, `Component_`) VALUES ('PurgeSourceKey', 2, '[PurgeSource]', '-', 'Purge');

-- The service beyond ServiceInstall. Event 5: at an installation and at a reinstallation. ConfigType: 3 delayed
-- start, 4 restart after an error too, 5 SID of its own (1 = unrestricted), 6 privileges, 7 time for the end of
-- the PC in milliseconds. Of LocalSystem's privileges it keeps those for the tokens of sessions (SeTcb), for
-- the Security log (SeSecurity), for walking through folders (SeChangeNotify) and for calls in a user's name
-- (SeImpersonate).
CREATE TABLE `MsiServiceConfig` (`MsiServiceConfig` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL, `Event` LONG NOT NULL, `ConfigType` LONG NOT NULL, `Argument` CHAR(0), `Component_` CHAR(72) NOT NULL PRIMARY KEY `MsiServiceConfig`);
INSERT INTO `MsiServiceConfig` (`MsiServiceConfig`, `Name`, `Event`, `ConfigType`, `Argument`, `Component_`) VALUES ('StartAtOnce', 'MngnTimeCliSvc', 5, 3, '0', 'Program');
INSERT INTO `MsiServiceConfig` (`MsiServiceConfig`, `Name`, `Event`, `ConfigType`, `Argument`, `Component_`) VALUES ('RestartAfterError', 'MngnTimeCliSvc', 5, 4, '1', 'Program');
INSERT INTO `MsiServiceConfig` (`MsiServiceConfig`, `Name`, `Event`, `ConfigType`, `Argument`, `Component_`) VALUES ('OwnSid', 'MngnTimeCliSvc', 5, 5, '1', 'Program');
INSERT INTO `MsiServiceConfig` (`MsiServiceConfig`, `Name`, `Event`, `ConfigType`, `Argument`, `Component_`) VALUES ('Privileges', 'MngnTimeCliSvc', 5, 6, 'SeTcbPrivilege[~]SeSecurityPrivilege[~]SeChangeNotifyPrivilege[~]SeImpersonatePrivilege', 'Program');
INSERT INTO `MsiServiceConfig` (`MsiServiceConfig`, `Name`, `Event`, `ConfigType`, `Argument`, `Component_`) VALUES ('Preshutdown', 'MngnTimeCliSvc', 5, 7, '20000', 'Program');

-- Restart (1) after 5 s, 30 s and every later time after 60 s; a day without failure begins the counting anew.
CREATE TABLE `MsiServiceConfigFailureActions` (`MsiServiceConfigFailureActions` CHAR(72) NOT NULL, `Name` CHAR(255) NOT NULL, `Event` LONG NOT NULL, `ResetPeriod` LONG, `RebootMessage` CHAR(255) LOCALIZABLE, `Command` CHAR(255) LOCALIZABLE, `Actions` CHAR(0), `DelayActions` CHAR(0), `Component_` CHAR(72) NOT NULL PRIMARY KEY `MsiServiceConfigFailureActions`);
INSERT INTO `MsiServiceConfigFailureActions` (`MsiServiceConfigFailureActions`, `Name`, `Event`, `ResetPeriod`, `Actions`, `DelayActions`, `Component_`) VALUES ('Restart', 'MngnTimeCliSvc', 5, 86400, '1[~]1[~]1', '5000[~]30000[~]60000', 'Program');
INSERT INTO `InstallExecuteSequence` (`Action`, `Condition`, `Sequence`) VALUES ('MsiConfigureServices', 'VersionMsi >= "5.00"', 5850);

-- Only the system and administrators read the enrolment key.
CREATE TABLE `MsiLockPermissionsEx` (`MsiLockPermissionsEx` CHAR(72) NOT NULL, `LockObject` CHAR(72) NOT NULL, `Table` CHAR(32) NOT NULL, `SDDLText` CHAR(0) NOT NULL, `Condition` CHAR(255) PRIMARY KEY `MsiLockPermissionsEx`);
INSERT INTO `MsiLockPermissionsEx` (`MsiLockPermissionsEx`, `LockObject`, `Table`, `SDDLText`) VALUES ('LockSecret', 'EnrollmentKeyValue', 'Registry', 'D:PAI(A;CI;KA;;;SY)(A;CI;KA;;;BA)');

-- No custom actions: not even an empty table for them.
DROP TABLE `CustomAction`;
