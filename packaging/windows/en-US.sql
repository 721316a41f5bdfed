-- The installer's words in English, code page 1252.
UPDATE `Property` SET `Value` = 'Records logons and logoffs of this PC and sends them to the attendance server.' WHERE `Property` = 'ARPCOMMENTS';
UPDATE `ServiceInstall` SET `Description` = 'Records logons and logoffs of this PC and sends them to the attendance server.' WHERE `ServiceInstall` = 'Service';
UPDATE `LaunchCondition` SET `Description` = 'A newer version of MngnTime is installed. To go back to an older version, uninstall the newer one first. Records that are not sent yet stay.' WHERE `Condition` = 'NOT NEWER_FOUND OR Installed';
